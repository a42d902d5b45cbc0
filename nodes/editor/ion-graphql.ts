import { labels } from './labels.js';
import { numberFrom, output } from './validators.js';

const SEED_QUERY = `query {
  runs(first: 10) {
    edges {
      node {
        id
        title
        status
        steps {
          id
          title
          status
        }
      }
    }
  }
}
`;

const label = labels('ion-graphql');
let queryEditor: CodeEditor | undefined;

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
    query: { label: label('query'), value: SEED_QUERY, validate: query },
    queryType: { value: 'graphql' },
    variables: {
      label: label('variables'),
      value: 'variables',
      validate: RED.validators.typedInput({ typeField: 'variablesType', allowBlank: true }),
    },
    variablesType: { value: 'msg' },
    operationName: { label: label('operationName'), value: '' },
    pages: { label: label('pages'), value: 'one' },
    pageSize: { label: label('pageSize'), value: 100, validate: numberFrom(1) },
    limit: { label: label('limit'), value: 0, validate: numberFrom(0) },
    output: { label: label('output'), value: 'payload', validate: output },
  },
  label() {
    return this.name || 'ion graphql';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
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
    const editor = RED.editor.createEditor({
      id: 'ion-graphql-query-editor',
      mode: 'ace/mode/graphql',
      value: isText ? stored : SEED_QUERY,
    });
    queryEditor = editor;
    source.on('change', () => {
      $('.ion-graphql-text').toggle(source.typedInput('type') === 'graphql');
      RED.tray.resize();
    });
    $('#node-input-variables').typedInput({
      types: ['json', 'msg', 'flow', 'global', 'jsonata', 'env'],
      typeField: '#node-input-variablesType',
    });
    $('#node-input-output').typedInput({ types: ['msg'] });
    const pages = $('#node-input-pages');
    pages.on('change', () => {
      $('.ion-graphql-paging').toggle(pages.val() !== 'one');
      RED.tray.resize();
    });
    source.trigger('change');
    pages.trigger('change');
  },
  oneditsave() {
    const source = $('#ion-graphql-query-source');
    const isText = source.typedInput('type') === 'graphql';
    this.query = isText ? (queryEditor?.getValue() ?? '') : source.typedInput('value');
    closeEditor();
  },
  oneditcancel: closeEditor,
  oneditresize({ height }) {
    const rows = $('#dialog-form > div:not(.ion-graphql-text-row):visible');
    let taken = 0;
    rows.each((_index, row) => {
      taken += $(row).outerHeight(true) ?? 0;
    });
    $('#ion-graphql-query-editor').css('height', `${Math.max(180, height - taken - 30)}px`);
    queryEditor?.resize();
  },
});

function closeEditor(): void {
  queryEditor?.destroy();
  queryEditor = undefined;
}

function query(value: string, _options: ValidatorOptions): Validation {
  return (
    value.trim() !== '' || RED._('@ion-nodes/node-red-ion/ion-graphql:ion-graphql.invalid.query')
  );
}
