// The preview of the query is needed only in an open dialog. It is a separate bundle in resources/: the
// page loads it when the first dialog opens.
import { preview } from './preview.js';

const bundle = { preview };

export type RunsPreview = typeof bundle;

declare global {
  interface Window {
    ionRunsPreview?: RunsPreview;
  }
}
window.ionRunsPreview = bundle;
