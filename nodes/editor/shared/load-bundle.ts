/**
 * A function that loads a script in resources/ once for the page.
 * @param find the content that the script leaves in the page
 */
export function bundleLoader<Content>(
  name: string,
  find: () => Content | undefined,
): () => Promise<Content> {
  const src = `resources/@ion-nodes/node-red-ion/${name}.js`;
  let loading: Promise<Content> | undefined;
  return () => {
    loading ??= new Promise<Content>((resolve, reject) => {
      const script = document.createElement('script');
      script.src = src;
      script.onload = () => {
        const content = find();
        if (content) resolve(content);
        else reject(new Error(src));
      };
      script.onerror = () => {
        // The next dialog may try again.
        loading = undefined;
        reject(new Error(src));
      };
      document.head.append(script);
    });
    return loading;
  };
}
