import { deliveryNumbers, pageNumbers } from '../client/settings.js';
import { graphqlMigrations } from '../migrations/ion-graphql.js';
import { currentVersion } from '../migrations/migrate.js';
import { defaultQuery } from './graphql/default-query.js';
import { type Delivery, prepareDelivery } from './graphql/delivery.js';
import { loadLanguage } from './graphql/load-language.js';
import type { OwnFirst } from './graphql/own-first.js';
import { type Preparation, preparation } from './graphql/preparation.js';
import { createQueryEditor } from './graphql/query-editor.js';
import type { QueryEditor } from './graphql/query-editor-contract.js';
import type { TemplateChoice } from './graphql/template-choice.js';
import type { Trial } from './graphql/trial.js';
import * as valid from './graphql/validators.js';
import { labels } from './shared/labels.js';
import { migrateNode, restoreNode } from './shared/migrate-node.js';
import { nameTypedInput } from './shared/name-typed-input.js';
import { numberProperties, prepareNumbers } from './shared/numbers.js';
import { setOpenNode } from './shared/open-node.js';
import { preparePageSize } from './shared/page-size.js';
import { preselectConfig } from './shared/preselect-config.js';
import { oneOf, optional, output } from './shared/validators.js';
import { type InstanceChoice, instanceChoice } from './subflows/instance-choice.js';
import { runningConfigs } from './subflows/running-configs.js';

const label = labels('ion-graphql');
const numbers = { ...pageNumbers, ...deliveryNumbers };
/** The parts of the open dialog. */
let dialog:
  | {
      editor: QueryEditor;
      preparation: Preparation;
      delivery?: Delivery;
      trial?: Trial;
      templates?: TemplateChoice;
      ownFirst?: OwnFirst;
    }
  | undefined;

RED.nodes.registerType('ion-graphql', {
  category: 'ION',
  color: '#9CC7D1',
  icon: 'ion-graphql.svg',
  inputs: 1,
  outputs: 1,
  paletteLabel: 'ion graphql',
  defaults: {
    name: { value: '' },
    config: { label: label('config'), value: '', type: 'ion-config', required: true },
    query: { label: label('query'), value: defaultQuery, validate: valid.query },
    queryType: { value: 'graphql' },
    variables: {
      label: label('variables'),
      value: 'variables',
      validate: RED.validators.typedInput({ typeField: 'variablesType', allowBlank: true }),
    },
    variablesType: { value: 'msg' },
    operationName: { label: label('operationName'), value: '' },
    pages: { label: label('pages'), value: 'one' },
    ...numberProperties('ion-graphql', numbers),
    output: { label: label('output'), value: 'payload', validate: output },
    delivery: {
      label: label('delivery'),
      value: 'direct',
      validate: optional(oneOf('direct', 'outbox')),
    },
    order: { label: label('order'), value: '', validate: valid.order },
    orderType: { value: 'str' },
    prepare: { label: label('prepare'), value: '', validate: valid.prepare },
    prepareVariables: { label: label('prepareVariables'), value: '', validate: valid.expression },
    alreadyDone: { label: label('alreadyDone'), value: '', validate: valid.expression },
    outputs: { value: 1 },
    version: { value: currentVersion(graphqlMigrations) },
  },
  label() {
    return this.name || 'ion graphql';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels(index) {
    const outcome = index === 0 ? 'delivered' : 'rejected';
    return this._(`ion-graphql.port.${this.delivery === 'outbox' ? outcome : this.pages}`);
  },
  onadd: preselectConfig,
  oneditprepare() {
    migrateNode(this, graphqlMigrations);
    setOpenNode(this);
    $('#dialog-form').addClass('ion-graphql-form');
    prepareNumbers(this, numbers);
    preparePageSize(this, 'ion-graphql');
    const stored = String(this.query ?? '');
    const isText = this.queryType === 'graphql';
    const source = $('#ion-graphql-query-source');
    source.typedInput({
      types: [
        { value: 'graphql', label: this._('ion-graphql.label.text'), hasValue: false },
        ...['msg', 'flow', 'global', 'jsonata', 'env'],
      ],
      typeField: '#node-input-queryType',
    });
    if (!isText) source.typedInput('value', stored);
    // Not in the page while the expanded editor is open.
    const schema = $('#ion-graphql-schema');
    const editor = createQueryEditor({
      id: 'ion-graphql-query-editor',
      text: isText ? stored : defaultQuery,
      onChange: () => {
        open.templates?.follow();
        update();
      },
      showSchema: (key, values) => schema.text(this._(`ion-graphql.schema.${key}`, values)),
    });
    const pages = $('#node-input-pages');
    const config = $('#node-input-config');
    const useSchema = (options?: { refresh: boolean }) => {
      void editor.useSchemaOf(chosenConfig(instance), options);
      open.preparation.useSchema();
    };
    const instance = instanceChoice('ion-instance', config.closest('.form-row'), () => useSchema());
    const open: NonNullable<typeof dialog> = {
      editor,
      preparation: preparation({
        text: String(this.prepare ?? ''),
        config: () => chosenConfig(instance),
        onChange: () => open.trial?.compare(),
      }),
    };
    dialog = open;
    const update = () => {
      open.trial?.compare();
      open.ownFirst?.update();
      open.delivery?.update();
    };
    const isTextNow = () => source.typedInput('type') === 'graphql';
    const showRows = () => {
      const isOutbox = open.delivery?.isOutbox ?? false;
      if (isOutbox) open.preparation.open();
      $('.ion-graphql-text').toggle(isTextNow());
      $('.ion-graphql-trial').toggle(isTextNow() || isOutbox);
      $('.ion-graphql-paging').toggle(!isOutbox && pages.val() !== 'one');
      update();
      RED.tray.resize();
    };
    loadLanguage().then(
      (parts) => {
        if (editor.isClosed) return;
        parts.prepareVariables();
        parts.prepareToolbar(editor, useSchema);
        parts.prepareExpanded(this, {
          createEditor: createQueryEditor,
          editor,
          preparation: open.preparation,
          config: () => chosenConfig(instance),
          operationName,
          useSchema,
        });
        open.templates = parts.prepareTemplateChoice(this, editor, open.preparation);
        open.trial = parts.prepareTrial(this);
        parts.prepareRunQuery(this, open.trial, () => ({
          config: chosenConfig(instance),
          query: editor.text,
          operationName: operationName(),
          variables: text('#ion-graphql-test-variables'),
        }));
        parts.prepareEvaluate(this, open.trial, () => ({
          config: chosenConfig(instance),
          query: isTextNow() ? editor.text : undefined,
          operationName: operationName(),
          prepare: open.preparation.text,
          variables: text('#ion-graphql-test-variables'),
          prepareVariables: text('#node-input-prepareVariables'),
          alreadyDone: text('#node-input-alreadyDone'),
        }));
        open.ownFirst = parts.prepareOwnFirst(this, () => ({
          query: isTextNow() ? editor.text : '',
          operationName: operationName(),
          isPaged: pages.val() !== 'one',
        }));
      },
      // The text can still be edited; the line of the schema says that the bundle is missing.
      () => {},
    );
    $('#ion-graphql-test-variables, #node-input-operationName').on('input change', update);
    const useConfig = () => {
      instance.offer(runningConfigs(String(config.val() ?? ''), this.z));
      useSchema();
    };
    config.on('change', useConfig);
    useConfig();
    $('#node-input-variables').typedInput({
      types: ['json', 'msg', 'flow', 'global', 'jsonata', 'env'],
      typeField: '#node-input-variablesType',
    });
    $('#node-input-output').typedInput({ types: ['msg'] });
    nameTypedInput(source, label('query'));
    nameTypedInput($('#node-input-variables'), label('variables'));
    nameTypedInput($('#node-input-output'), label('output'));
    open.delivery = prepareDelivery(this, {
      query: () =>
        isTextNow() ? { text: editor.text, operationName: operationName() } : undefined,
      onRows: showRows,
      onExpression: () => open.trial?.compare(),
    });
    source.on('change', showRows);
    pages.on('change', showRows);
    $('.ion-graphql-trial').on('toggle', () => RED.tray.resize());
    showRows();
  },
  oneditsave() {
    const source = $('#ion-graphql-query-source');
    const isText = source.typedInput('type') === 'graphql';
    this.query = isText ? (dialog?.editor.text ?? '') : source.typedInput('value');
    this.prepare = withoutBlank(dialog?.preparation.text ?? '');
    for (const name of ['prepareVariables', 'alreadyDone']) {
      const input = $(`#node-input-${name}`);
      input.val(withoutBlank(String(input.val())));
    }
    this.outputs = dialog?.delivery?.isOutbox ? 2 : 1;
    closeDialog();
  },
  oneditcancel() {
    restoreNode(this);
    closeDialog();
  },
  oneditresize({ height }) {
    const rows = $('#dialog-form > :not(.ion-graphql-editor-row):visible');
    let taken = 0;
    rows.each((_index, row) => {
      taken += $(row).outerHeight(true) ?? 0;
    });
    $('#ion-graphql-query-editor').css('height', `${Math.max(220, height - taken - 30)}px`);
    dialog?.editor.resize();
    dialog?.preparation.resize();
  },
});

/** A text; nothing if it consists of blanks. */
function withoutBlank(text: string): string {
  return text.trim() === '' ? '' : text;
}

function closeDialog(): void {
  dialog?.trial?.cancel();
  dialog?.editor.close();
  dialog?.preparation.close();
  dialog = undefined;
  setOpenNode(undefined);
}

/** The running config node; empty if none is chosen, `undefined` if none runs. */
function chosenConfig({ id }: InstanceChoice): string | undefined {
  const config = text('#node-input-config');
  return config === '_ADD_' || config === '' ? '' : id || undefined;
}

function text(selector: string): string {
  return String($(selector).val() ?? '');
}

function operationName(): string {
  return text('#node-input-operationName').trim();
}
