import type { GraphqlLanguage } from './bundle.js';

const BUNDLE = 'resources/@ion-nodes/node-red-ion/graphql-language.js';

let loading: Promise<GraphqlLanguage> | undefined;

/** Loads the language bundle once for the page. */
export function loadLanguage(): Promise<GraphqlLanguage> {
  loading ??= new Promise<GraphqlLanguage>((resolve, reject) => {
    const script = document.createElement('script');
    script.src = BUNDLE;
    script.onload = () => {
      if (window.ionGraphqlLanguage) resolve(window.ionGraphqlLanguage);
      else reject(new Error(BUNDLE));
    };
    script.onerror = () => {
      // The next dialog may try again.
      loading = undefined;
      reject(new Error(BUNDLE));
    };
    document.head.append(script);
  });
  return loading;
}
