// The row in the dialog of a subflow's node in which the user chooses an instance of the subflow.
import type { RunningConfig } from './running-configs.js';

export interface InstanceChoice {
  /** The ID of the running config node in the chosen instance; empty if there is none. */
  readonly id: string;
  /** Offers these config nodes, and shows the row if there are several. */
  offer(configs: readonly RunningConfig[]): void;
}

/** Adds the row after another one. It is hidden until several config nodes are offered. */
export function instanceChoice(
  id: string,
  row: JQuery,
  onChosen: () => void,
  width = '70%',
): InstanceChoice {
  const text = (key: string) =>
    RED._(`@ion-nodes/node-red-ion/ion-config:ion-config.instance.${key}`);
  const select = $('<select>')
    .css('width', width)
    .attr({ id, title: text('title') });
  const label = $('<label>')
    .attr('for', id)
    .append($('<i class="fa fa-clone">'), ` ${text('label')}`);
  const choice = $('<div class="form-row">').append(label, ' ', select).hide().insertAfter(row);
  select.on('change', onChosen);
  return {
    get id() {
      return String(select.val() ?? '');
    },
    offer(configs) {
      const chosen = select.val();
      select.empty();
      for (const { id: value, name } of configs) {
        $('<option>')
          .val(value)
          .text(name)
          .prop('selected', value === chosen)
          .appendTo(select);
      }
      choice.toggle(configs.length > 1);
      RED.tray.resize();
    },
  };
}
