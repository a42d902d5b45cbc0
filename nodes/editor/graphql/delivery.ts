// The rows that belong to the delivery: those of the outbox, or those of paging.
import { labels } from '../shared/labels.js';
import { nameTypedInput } from '../shared/name-typed-input.js';
import { isKind } from './is-kind.js';

const label = labels('ion-graphql');

/** A JSONata expression that may be empty. Node-RED's own type takes an empty one for an error. */
const EXPRESSION: TypedInputType = {
  value: 'jsonata',
  label: 'JSONata',
  icon: 'red/images/typedInput/expr.svg',
  validate: (text) => text.trim() === '' || RED.utils.validateTypedProperty(text, 'jsonata', {}),
  expand() {
    RED.editor.editExpression({
      // An input has one line, so the editor stores a line break as a tab.
      value: this.value().replace(/\t/g, '\n'),
      focus: true,
      complete: (text) => this.value(text.replace(/\n/g, '\t')),
    });
  },
};

interface DeliveryOptions {
  /** The query and the name of its operation; `undefined` if the query comes from another source. */
  query(): { text: string; operationName: string } | undefined;
  /** Rows were shown or hidden. */
  onRows(): void;
  /** An expression has changed. */
  onExpression(): void;
}

export interface Delivery {
  readonly isOutbox: boolean;
  /** Follows a change of the query or of its source. */
  update(): void;
}

export function prepareDelivery(node: EditedNode, options: DeliveryOptions): Delivery {
  const delivery = $('#node-input-delivery');
  const isOutbox = () => delivery.val() === 'outbox';
  const order = $('#node-input-order').typedInput({
    types: ['str', 'msg', 'flow', 'global', 'jsonata', 'env'],
    typeField: '#node-input-orderType',
  });
  nameTypedInput(order, label('order'));
  for (const name of ['prepareVariables', 'alreadyDone']) {
    const input = $(`#node-input-${name}`).typedInput({ types: [EXPRESSION] });
    nameTypedInput(input, label(name));
    input.on('change keyup', options.onExpression);
  }
  const alreadyDone = $('#node-input-alreadyDone');
  const showGuarantee = () => {
    const guarantee = String(alreadyDone.val()).trim() === '' ? 'atLeastOnce' : 'exactlyOnce';
    $('#ion-graphql-guarantee').text(node._(`ion-graphql.hint.${guarantee}`));
  };
  alreadyDone.on('change keyup', showGuarantee);
  showGuarantee();

  const update = () => {
    const query = options.query();
    const isQuery =
      isOutbox() && query !== undefined && isKind('query', query.text, query.operationName);
    const text = isQuery ? node._('ion-graphql.invalid.noMutation') : '';
    const hint = $('#ion-graphql-no-mutation');
    if (hint.text() === text) return;
    hint.text(text);
    RED.tray.resize();
  };
  const showRows = () => {
    const trial = $('.ion-graphql-trial');
    $('.ion-graphql-outbox').toggle(isOutbox());
    $('#ion-graphql-pages-row').toggle(!isOutbox());
    // The test comes after all texts that it tests.
    trial.insertAfter(isOutbox() ? '#ion-graphql-keep-row' : '.ion-graphql-editor-row');
    update();
    options.onRows();
  };
  delivery.on('change', showRows);
  showRows();
  return {
    get isOutbox() {
      return isOutbox();
    },
    update,
  };
}
