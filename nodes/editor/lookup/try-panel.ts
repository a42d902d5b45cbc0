// The result of "Try it". It is a separate bundle, which the page loads when the button is first used
// (try-button.ts).
import type { WorkAnswer } from '../../client/work/work.js';
import { adminRequest, type ServerError } from '../shared/admin-request.js';
import { withSettings } from '../shared/config-settings.js';
import { insertValues } from '../shared/insert-values.js';
import { runningConfigs } from '../subflows/running-configs.js';
import { lookupTexts } from './lookup-texts.js';
import { fixedValue, type TrialQuery } from './trial-query.js';
import { candidatesTable, fieldsTable, workTable } from './work-tables.js';

interface LookedUp {
  answer: WorkAnswer;
  requests: number;
}

/** Loaded with the bundle, like its script. */
const STYLE = `
#ion-lookup-result > p { margin: 0 0 8px; overflow-wrap: anywhere; }
#ion-lookup-result .ion-lookup-failed { color: var(--red-ui-text-color-error); }
#ion-lookup-result .ion-lookup-missed { font-weight: bold; }
.ion-lookup-tables { max-height: max(320px, 50vh); overflow: auto; margin-bottom: 8px; }
.ion-lookup-tables table { width: 100%; margin-bottom: 8px; border-collapse: collapse; }
.ion-lookup-tables caption { padding: 2px 0; color: var(--red-ui-secondary-text-color); text-align: left; }
.ion-lookup-tables :is(th, td) { padding: 4px 8px; border: 1px solid var(--red-ui-form-input-border-color); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.ion-lookup-tables th { font-weight: normal; background: var(--red-ui-secondary-background); color: var(--red-ui-primary-text-color); }
.ion-lookup-tables th[scope=row] { width: 92px; }
.ion-lookup-tables small { display: block; color: var(--red-ui-secondary-text-color); }
`;

/** Looks the query up, and shows the answer or the failure. The signal ends it. */
async function showWork(
  node: EditedNode,
  query: TrialQuery,
  result: JQuery,
  signal: AbortSignal,
): Promise<void> {
  const texts = lookupTexts();
  const show = (said: string, kind = '', tables: JQuery[] = []) => {
    // Only the line is read aloud when it changes.
    result.children('p').attr('class', kind).text(said);
    const region = $('<div class="ion-lookup-tables" role="region" tabindex="0">')
      .attr('aria-label', texts.result)
      .append(...tables);
    result
      .children('div')
      .empty()
      .append($('<style>').text(STYLE), ...(tables.length > 0 ? [region] : []));
    RED.tray.resize();
    // In a low window the result would open below the visible part of the dialog.
    result[0]?.scrollIntoView({ block: 'nearest' });
  };
  const id = chosenConfig(node);
  if (id === undefined) return show(texts.noConfig, 'ion-lookup-failed');
  if (query.value.trim() === '') return show(texts.noValue, 'ion-lookup-failed');
  show(texts.looking);
  try {
    const { answer, requests } = await request(id, query, signal);
    if (signal.aborted) return;
    const count = { count: requests };
    const effort = requests === 1 ? texts.oneRequest : insertValues(texts.requests, count);
    const lines = [...omitted(query.by).map((name) => texts.omitted[name]), effort];
    if (answer.found === 'one') {
      const { work } = answer;
      const tables = [workTable(texts, work)];
      if (work.fields) tables.push(fieldsTable(texts, work.fields));
      show([texts.found, ...lines].join(' '), '', tables);
      return;
    }
    const tables = answer.candidates.length > 0 ? [candidatesTable(texts, answer.candidates)] : [];
    show([answer.reason, ...lines].join(' '), 'ion-lookup-missed', tables);
  } catch (thrown) {
    if (signal.aborted) return;
    const { code, message, isDeployed } = thrown as ServerError;
    const said = isDeployed === false ? texts.notDeployed : `${code}: ${message}`;
    show(said, 'ion-lookup-failed');
  }
}

/** The ID of the running config node; `undefined` if none is chosen. */
function chosenConfig(node: EditedNode): string | undefined {
  const config = String($('#node-input-config').val() ?? '');
  // The editor's value for "add new …".
  if (['', '_ADD_', 'null'].includes(config)) return undefined;
  const [running] = runningConfigs(config, node.z);
  return running?.id || '_';
}

/** The inputs that depend on the message, and so are empty in a trial. */
function omitted(by: string): ('part' | 'step')[] {
  const names = by === 'serial' ? (['part', 'step'] as const) : (['step'] as const);
  return names.filter((name) => fixedValue(name) === undefined);
}

function request(id: string, query: TrialQuery, signal: AbortSignal): Promise<LookedUp> {
  const send = (route: string, body: object) =>
    adminRequest<LookedUp>({ url: `ion-config/${route}`, method: 'POST', body, signal });
  return withSettings(
    id,
    () => send(`${encodeURIComponent(id)}/lookup`, query),
    (settings) => send('lookup', { ...settings, ...query }),
  );
}

export type ShowWork = typeof showWork;

declare global {
  interface Window {
    ionLookupTrial?: ShowWork;
  }
}

window.ionLookupTrial = showWork;
