// The resource of the events: polling needs one that can be listed, a webhook takes any of ION's.
import { resourceNamed, resourceNames } from '../../client/lists/resources.js';
import { onTextChange } from '../shared/on-text-change.js';
import type { Introspection } from '../shared/schema.js';

export interface ResourceChoice {
  /** Shows the input for a source: a drop-down for polling, a text for a webhook. */
  show(isWebhook: boolean): void;
  /** Offers the resources of the schema; without one, those that can be listed. */
  offer(schema: Introspection | undefined): void;
}

/** Prepares the inputs with the stored resource. */
export function resourceChoice(onChange: () => void): ResourceChoice {
  const input = $('#node-input-resource');
  const select = $('#ion-events-resource');
  let offered = resourceNames;

  const entered = () => String(input.val() ?? '').trim();
  const fillSelect = () => {
    // A stored resource stays, and is marked if it cannot be listed.
    const names = [...new Set([...resourceNames, entered()])];
    select.empty().append(names.map((name) => $('<option>').val(name).text(name)));
    const isWrong = resourceNamed(entered()) === undefined;
    select.val(entered()).toggleClass('input-error', isWrong).attr('aria-invalid', String(isWrong));
  };
  input.autoComplete({
    search: (typed) => offered.filter((name) => name.includes(typed.trim().toUpperCase())),
    minLength: 0,
  });
  onTextChange(input, () => {
    fillSelect();
    onChange();
  });
  select.on('change', () => input.val(String(select.val())).trigger('change'));
  fillSelect();
  return {
    show(isWebhook) {
      select.toggle(!isWebhook);
      input.toggle(isWebhook);
      $('#ion-events-resource-label').attr(
        'for',
        isWebhook ? 'node-input-resource' : 'ion-events-resource',
      );
    },
    offer(schema) {
      const type = schema?.__schema.types.find(({ name }) => name === 'ResourceEnum');
      offered = type?.enumValues?.map(({ name }) => name) ?? resourceNames;
    },
  };
}
