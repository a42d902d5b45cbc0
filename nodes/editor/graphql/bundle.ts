// The parts of the query editor that are large, or needed only when it is open. They are a separate
// bundle in resources/: the page loads it when the first query editor opens (load-language.ts).

import { prepareExpanded } from '../graphql-expanded/expanded-editor.js';
import { loadSchema } from '../shared/schema.js';
import { addCompletion } from './completion.js';
import { prepareEvaluate } from './evaluate.js';
import { language } from './language.js';
import { prepareOwnFirst } from './own-first.js';
import { prepareRunQuery } from './run-query.js';
import { prepareTemplateChoice } from './template-choice.js';
import { prepareToolbar } from './toolbar.js';
import { prepareTrial } from './trial.js';
import { prepareVariables } from './variables.js';

const bundle = {
  ...language,
  addCompletion,
  loadSchema,
  prepareEvaluate,
  prepareExpanded,
  prepareOwnFirst,
  prepareRunQuery,
  prepareTemplateChoice,
  prepareToolbar,
  prepareTrial,
  prepareVariables,
};

export type GraphqlLanguage = typeof bundle;

declare global {
  interface Window {
    ionGraphqlLanguage?: GraphqlLanguage;
  }
}
window.ionGraphqlLanguage = bundle;
