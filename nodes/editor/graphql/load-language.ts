import { bundleLoader } from '../shared/load-bundle.js';

/** Loads the language bundle once for the page. */
export const loadLanguage = bundleLoader('graphql-language.js', () => window.ionGraphqlLanguage);
