import { pageNumbers } from '../client/settings.js';
import { graphqlMigrations } from '../migrations/ion-graphql.js';
import { currentVersion } from '../migrations/migrate.js';
import { defaultQuery } from './graphql/default-query.js';
import { loadLanguage } from './graphql/load-language.js';
import type { OwnFirst } from './graphql/own-first.js';
import { createQueryEditor, type QueryEditor } from './graphql/query-editor.js';
import type { QueryRunner } from './graphql/run-query.js';
import type { TemplateChoice } from './graphql/template-choice.js';
import { labels } from './shared/labels.js';
import { migrateNode, restoreNode } from './shared/migrate-node.js';
import { nameTypedInput } from './shared/name-typed-input.js';
import { numberProperties, prepareNumbers } from './shared/numbers.js';
import { preselectConfig } from './shared/preselect-config.js';
import { output } from './shared/validators.js';
import { type InstanceChoice, instanceChoice } from './subflows/instance-choice.js';
import { runningConfigs } from './subflows/running-configs.js';

const label = labels('ion-graphql');
/** The parts of the open dialog. */
let dialog:
  | { editor: QueryEditor; run?: QueryRunner; templates?: TemplateChoice; ownFirst?: OwnFirst }
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
    query: { label: label('query'), value: defaultQuery, validate: validQuery },
    queryType: { value: 'graphql' },
    variables: {
      label: label('variables'),
      value: 'variables',
      validate: RED.validators.typedInput({ typeField: 'variablesType', allowBlank: true }),
    },
    variablesType: { value: 'msg' },
    operationName: { label: label('operationName'), value: '' },
    pages: { label: label('pages'), value: 'one' },
    ...numberProperties('ion-graphql', pageNumbers),
    output: { label: label('output'), value: 'payload', validate: output },
    version: { value: currentVersion(graphqlMigrations) },
  },
  label() {
    return this.name || 'ion graphql';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels() {
    return this._(`ion-graphql.port.${this.pages}`);
  },
  onadd: preselectConfig,
  oneditprepare() {
    migrateNode(this, graphqlMigrations);
    prepareNumbers(this, pageNumbers);
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
    const editor = createQueryEditor({
      id: 'ion-graphql-query-editor',
      text: isText ? stored : defaultQuery,
      onChange: () => {
        dialog?.templates?.follow();
        dialog?.run?.compare();
        dialog?.ownFirst?.update();
      },
      showSchema: (key, values) =>
        $('#ion-graphql-schema').text(this._(`ion-graphql.schema.${key}`, values)),
    });
    const pages = $('#node-input-pages');
    const operationName = () => String($('#node-input-operationName').val()).trim();
    const config = $('#node-input-config');
    const instance = instanceChoice('ion-instance', config.closest('.form-row'), () => {
      void editor.useSchemaOf(chosenConfig(instance));
    });
    prepareToolbar(editor, instance);
    const open: typeof dialog = { editor };
    dialog = open;
    loadLanguage().then(
      ({ prepareOwnFirst, prepareRunQuery, prepareTemplateChoice, prepareVariables }) => {
        if (editor.isClosed) return;
        prepareVariables();
        open.templates = prepareTemplateChoice(this, editor);
        open.run = prepareRunQuery(this, () => ({
          config: chosenConfig(instance),
          query: editor.text,
          operationName: operationName(),
          variables: String($('#ion-graphql-test-variables').val()),
        }));
        open.ownFirst = prepareOwnFirst(this, () => ({
          query: source.typedInput('type') === 'graphql' ? editor.text : '',
          operationName: operationName(),
          isPaged: pages.val() !== 'one',
        }));
      },
      // The text can still be edited; the line of the schema says that the bundle is missing.
      () => {},
    );
    $('#ion-graphql-test-variables, #node-input-operationName').on('input change', () => {
      open.run?.compare();
      open.ownFirst?.update();
    });
    const useConfig = () => {
      instance.offer(runningConfigs(String(config.val() ?? ''), this.z));
      void editor.useSchemaOf(chosenConfig(instance));
    };
    config.on('change', useConfig);
    useConfig();
    source.on('change', () => {
      $('.ion-graphql-text').toggle(source.typedInput('type') === 'graphql');
      open.ownFirst?.update();
      RED.tray.resize();
    });
    $('#node-input-variables').typedInput({
      types: ['json', 'msg', 'flow', 'global', 'jsonata', 'env'],
      typeField: '#node-input-variablesType',
    });
    $('#node-input-output').typedInput({ types: ['msg'] });
    nameTypedInput(source, label('query'));
    nameTypedInput($('#node-input-variables'), label('variables'));
    nameTypedInput($('#node-input-output'), label('output'));
    pages.on('change', () => {
      $('.ion-graphql-paging').toggle(pages.val() !== 'one');
      open.ownFirst?.update();
      RED.tray.resize();
    });
    $('.ion-graphql-trial').on('toggle', () => RED.tray.resize());
    source.trigger('change');
    pages.trigger('change');
  },
  oneditsave() {
    const source = $('#ion-graphql-query-source');
    const isText = source.typedInput('type') === 'graphql';
    this.query = isText ? (dialog?.editor.text ?? '') : source.typedInput('value');
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
  },
});

function closeDialog(): void {
  dialog?.run?.cancel();
  dialog?.editor.close();
  dialog = undefined;
}

/** The running config node; empty if none is chosen, `undefined` if none runs. */
function chosenConfig({ id }: InstanceChoice): string | undefined {
  const config = String($('#node-input-config').val() ?? '');
  return config === '_ADD_' || config === '' ? '' : id || undefined;
}

function prepareToolbar(editor: QueryEditor, instance: InstanceChoice): void {
  $('#ion-graphql-format').on('click', (event) => {
    event.preventDefault();
    // A text with syntax errors stays unchanged: the editor underlines them.
    editor.format().catch(() => {});
  });
  $('#ion-graphql-refresh').on('click', (event) => {
    event.preventDefault();
    void editor.useSchemaOf(chosenConfig(instance), { refresh: true });
  });
}

function validQuery(value: string, _options: ValidatorOptions): Validation {
  return (
    value.trim() !== '' || RED._('@ion-nodes/node-red-ion/ion-graphql:ion-graphql.invalid.query')
  );
}
