// The choice between an automatic and a fixed page size. One property holds both: `auto`, or a number.
import { isAuto, pageNumbers } from '../../client/settings.js';

/** Prepares the choice of an open dialog, after its number inputs. */
export function preparePageSize(node: EditedNode, type: 'ion-graphql' | 'ion-runs'): void {
  const input = $('#node-input-pageSize');
  const choice = $(`#${type}-page-size`);
  const isAutomatic = () => choice.val() === 'auto';
  // Text for a reference to an environment variable.
  const kind = String(input.attr('type'));
  const number = isAuto(node.pageSize) ? pageNumbers.pageSize.default : node.pageSize;
  let fixed = String(number ?? '');
  const show = () => {
    // A number input cannot hold a word.
    input.attr('type', isAutomatic() ? 'text' : kind).val(isAutomatic() ? 'auto' : fixed);
    input.toggle(!isAutomatic());
    $(`#${type}-page-size-hint`).toggle(isAutomatic());
  };
  choice.val(isAuto(node.pageSize) ? 'auto' : 'fixed').on('change', () => {
    if (isAutomatic() && !isAuto(input.val())) fixed = String(input.val());
    show();
  });
  show();
}
