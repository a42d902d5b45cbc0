// What events are about: for a poll one of those that can be listed, for a webhook any that ION has.
import { resourceNamed, resourceNames } from '../../client/lists/resources.js';
import type { Introspection } from '../shared/schema.js';

export interface ResourceChoice {
  /** Shows what this way takes. */
  show(isWebhook: boolean): void;
  /** Offers what the schema names; without one, what can be listed. */
  offer(schema: Introspection | undefined): void;
}

export function resourceChoice(onChange: () => void): ResourceChoice {
  const input = $('#node-input-resource');
  const select = $('#ion-events-resource');
  let offered = resourceNames;

  const entered = () => String(input.val() ?? '').trim();
  const fillSelect = () => {
    // What was stored stays, marked as what it is.
    const names = [...new Set([...resourceNames, entered()])];
    select.empty().append(names.map((name) => $('<option>').val(name).text(name)));
    const isWrong = resourceNamed(entered()) === undefined;
    select.val(entered()).toggleClass('input-error', isWrong).attr('aria-invalid', String(isWrong));
  };
  input.autoComplete({
    search: (typed) => offered.filter((name) => name.includes(typed.trim().toUpperCase())),
    minLength: 0,
  });
  let last = entered();
  // Completion by Tab sets the text without an event of its own.
  input.on('change keyup blur', () => {
    if (entered() === last) return;
    last = entered();
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
