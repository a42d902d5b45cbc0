const FOLDER = 'resources/@ion-nodes/node-red-ion';

/**
 * Returns a function that loads a script of resources/ once for the page.
 * @param read reads what the script leaves in the window
 */
export function bundleLoader<Bundle>(
  file: string,
  read: () => Bundle | undefined,
): () => Promise<Bundle> {
  let loading: Promise<Bundle> | undefined;
  return () => {
    loading ??= new Promise<Bundle>((resolve, reject) => {
      const script = document.createElement('script');
      script.src = `${FOLDER}/${file}`;
      script.onload = () => {
        const bundle = read();
        if (bundle) resolve(bundle);
        else reject(new Error(script.src));
      };
      script.onerror = () => {
        // The next dialog may try again.
        loading = undefined;
        reject(new Error(script.src));
      };
      document.head.append(script);
    });
    return loading;
  };
}
