// The contents of the expanded editor: the list of operations, the query and the result side by side.

import { language } from '../graphql/language.js';
import type { CreateQueryEditor, QueryEditor } from '../graphql/query-editor-contract.js';
import { prepareRunQuery } from '../graphql/run-query.js';
import { isOfTemplate } from '../graphql/template-choice.js';
import { prepareToolbar } from '../graphql/toolbar.js';
import { prepareTrial } from '../graphql/trial.js';
import { confirm } from '../shared/confirm.js';
import { insertValues } from '../shared/insert-values.js';
import { STYLE } from './expanded-style.js';
import type { ExpandedTexts } from './expanded-texts.js';
import { newOperation } from './new-operation.js';
import { operationList } from './operation-list.js';
import type { OperationKind, SchemaOperation } from './schema-operations.js';

/** In pixels. Below, the parts are stacked. */
const MIN_WIDTH = 680;
const ID = 'ion-graphql-expanded';

export interface ViewOptions {
  node: EditedNode;
  texts: ExpandedTexts;
  createEditor: CreateQueryEditor;
  kinds: readonly OperationKind[];
  text: string;
  /** Test variables, as JSON. */
  variables: string;
  /** The ID of the running config node, as a query editor expects it. */
  config: string | undefined;
  operationName: string;
}

export interface ExpandedView {
  readonly element: JQuery;
  readonly editor: QueryEditor;
  /** Test variables, as JSON. */
  readonly variables: string;
  /** Whether the schema was read again. */
  readonly isRefreshed: boolean;
  resize(width: number): void;
  close(): void;
}

/** Fills the body of a tray that is in the page. */
export function showExpanded(body: JQuery, options: ViewOptions): ExpandedView {
  const { node, texts, createEditor, kinds, config } = options;
  const list = operationList({ texts, kinds, choose: (chosen) => void insert(chosen) });
  const parts = partsOf(node, texts);
  const { form, columns, said, variables, run, result, old } = parts;
  columns.prepend(list.element);
  body.append(form);
  let inserted: { query: string; variables: string } | undefined;
  let isRefreshed = false;

  const editor = createEditor({
    id: `${ID}-editor`,
    text: options.text,
    onChange: () => trial.compare(),
    showSchema(key, values) {
      const text = node._(`ion-graphql.schema.${key}`, values);
      said.text(text);
      if (key !== 'loaded') list.explain(text);
    },
    onSchema: list.offer,
  });
  const trial = prepareTrial(node, { result, old });
  if (result.is(':empty')) result.append($('<p>').text(texts.noResult));
  const read = () => ({
    config,
    query: editor.text,
    operationName: options.operationName,
    variables: String(variables.val()),
  });
  const isPreparation = !kinds.includes('mutation');
  prepareRunQuery(node, trial, read, { button: run, isPreparation });
  variables.val(options.variables).on('input', trial.compare);
  const useSchema = (how?: { refresh: boolean }) => {
    isRefreshed ||= how?.refresh ?? false;
    void editor.useSchemaOf(config, how);
  };
  prepareToolbar(editor, useSchema, parts);
  const showList = (isShown: boolean) => {
    parts.toggle.attr('aria-expanded', String(isShown)).toggleClass('selected', isShown);
    columns.toggleClass('ion-graphql-no-list', !isShown);
    editor.resize();
  };
  parts.toggle.on('click', () => showList(columns.hasClass('ion-graphql-no-list')));
  showList(true);

  const insert = async ({ kind, field }: SchemaOperation) => {
    const operation = newOperation({ kind, field });
    const query = await language.format(operation.query);
    const isOwn = editor.text !== inserted?.query && !isOfTemplate('query', editor.text);
    const text = insertValues(texts.confirm, { name: field.name });
    const yes = node._('ion-graphql.starter.confirmed');
    const isWanted = !isOwn || (await confirm({ text, yes }));
    if (!isWanted || editor.isClosed) return;
    editor.replaceText(query);
    const example = operation.variables ?? '';
    const present = String(variables.val());
    const mayReplace = isOfTemplate('variables', present) || present === inserted?.variables;
    if (mayReplace) variables.val(example).trigger('input');
    inserted = { query, variables: mayReplace ? example : (inserted?.variables ?? '') };
    said.text(insertValues(texts.inserted, { name: field.name }));
    editor.code.focus();
  };
  useSchema();
  return {
    element: form,
    editor,
    get variables() {
      return String(variables.val());
    },
    get isRefreshed() {
      return isRefreshed;
    },
    resize(width) {
      form.toggleClass('ion-graphql-stacked', width < MIN_WIDTH);
      editor.resize();
    },
    close() {
      trial.cancel();
      editor.close();
    },
  };
}

function partsOf(node: EditedNode, texts: ExpandedTexts) {
  const label = (key: string) => node._(`ion-graphql.label.${key}`);
  const button = (icon: string, text: string) =>
    $('<button type="button" class="red-ui-button">').append(
      $('<i aria-hidden="true">').addClass(`fa fa-${icon}`),
      ` ${text}`,
    );
  const toggle = button('list-ul', texts.operations).attr(
    'aria-controls',
    'ion-graphql-operations',
  );
  const format = button('indent', label('format'));
  const refresh = button('refresh', label('refresh'));
  const said = $('<span role="status">');
  const bar = $(`<div class="${ID}-bar">`).append(toggle, format, refresh, said);
  const query = $('<section>')
    .attr('aria-label', label('query'))
    .append($(`<div id="${ID}-editor" class="node-text-editor">`));
  const variables = $(`<textarea id="${ID}-variables" spellcheck="false">`);
  const run = button('play', label('trial')).attr('id', `${ID}-run`).prop('disabled', true);
  const old = $(`<div id="${ID}-result-old" role="status">`).text(node._('ion-graphql.trial.old'));
  const result = $(`<div id="${ID}-result" role="region" tabindex="0" aria-live="polite">`);
  const trial = $(`<section id="${ID}-trial">`)
    .attr('aria-label', label('trial'))
    .append(
      $(`<label for="${ID}-variables">`).text(label('testVariables')),
      variables.attr('placeholder', node._('ion-graphql.placeholder.testVariables')),
      run,
      old,
      result.attr('aria-label', texts.result),
    );
  const columns = $(`<div class="${ID}-parts">`).append(query, trial);
  const form = $(`<form id="${ID}" class="dialog-form form-horizontal" autocomplete="off">`)
    .append($('<style>').text(STYLE), bar, columns)
    .on('submit', (event) => event.preventDefault());
  return { form, columns, toggle, format, refresh, said, variables, run, old, result };
}
