import { bundleLoader } from '../shared/load-bundle.js';
import type { GraphqlLanguage } from './bundle.js';

/** Loads the language bundle once for the page. */
export const loadLanguage = bundleLoader<GraphqlLanguage>(
  'graphql-language',
  () => window.ionGraphqlLanguage,
);
