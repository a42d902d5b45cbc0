import { bundleLoader } from '../shared/load-bundle.js';
import type { Kind } from './target-picker.js';

const BUTTON_WIDTH = 38;

/** The picker is a separate bundle in resources/, which keeps the start of the editor short. */
const loadPicker = bundleLoader('target-picker.js', () => window.ionTargetPicker);

/** Adds a button beside an input that finds a fixed value for it in ION. */
export function addTargetButton(node: EditedNode, kind: Kind): void {
  const input = $(`#node-input-${kind}`);
  const title = node._(`ion-step.picker.${kind}`);
  const button = $('<button type="button" class="red-ui-button ion-step-find">')
    .append($('<i class="fa fa-search">'))
    .attr({ title, 'aria-label': title, 'aria-haspopup': 'dialog' })
    .insertAfter(input.next('.red-ui-typedInput-container'));
  // A plain percentage would be fixed in pixels, before the dialog has its width.
  input.typedInput('width', `calc(70% - ${BUTTON_WIDTH}px)`);
  button.on('click', () => {
    const failed = () =>
      RED.notify($('<span>').text(node._('ion-step.picker.notLoaded')), { type: 'error' });
    loadPicker().then((open) => open(node, kind, button), failed);
  });
}
