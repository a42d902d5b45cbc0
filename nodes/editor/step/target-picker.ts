// The panel that lists runs, steps or fields of ION. It is a separate bundle, which the page loads when
// it is first opened (target-button.ts).
import { adminRequest, type ServerError } from '../shared/admin-request.js';
import { withSettings } from '../shared/config-settings.js';
import { latestRequest } from '../shared/latest-request.js';
import { runningConfigs } from '../subflows/running-configs.js';

export type Kind = 'run' | 'step' | 'field';

interface Found {
  id: string;
  name: string;
  reference: string;
  details: string[];
}

interface FoundTargets {
  found: Found[];
  isMore: boolean;
}

/** Types of a typed input whose value is known in the dialog. */
const FIXED = ['str', 'num'];
/** Loaded with the panel, like its script. */
const STYLE = `
.ion-step-picker { width: 380px; max-width: 90vw; padding: 8px; }
.ion-step-found { height: min(220px, 26vh); overflow: auto; }
.ion-step-picker p { margin: 0 0 6px; overflow-wrap: anywhere; }
.ion-step-found button { display: block; width: 100%; padding: 4px 6px; border: 0; background: none; color: inherit; text-align: left; overflow-wrap: anywhere; }
.ion-step-found button:hover, .ion-step-found button:focus { background: var(--red-ui-list-item-background-selected); }
.ion-step-found b { display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical; -webkit-line-clamp: 3; }
.ion-step-found small { display: block; color: var(--red-ui-secondary-text-color); }
.ion-step-example:empty { display: none; }
.ion-step-picker .ion-step-note { margin: 6px 0 0; min-height: 20px; }
.ion-step-picker .ion-step-failed { color: var(--red-ui-text-color-error); }
`;
/** After the last key. */
const DELAY_MS = 300;
const KINDS: readonly Kind[] = ['run', 'step', 'field'];

function inputOf(kind: Kind): JQuery {
  return $(`#node-input-${kind}`);
}

function chosenConfig(): string {
  return String($('#node-input-config').val() ?? '');
}

function isConfigChosen(): boolean {
  // The editor's value for "add new …".
  return !['', '_ADD_', 'null'].includes(chosenConfig());
}

/** The reference that the dialog holds; `undefined` if it depends on the message or is empty. */
function fixedValue(kind: Kind): string | undefined {
  const input = inputOf(kind);
  const value = input.typedInput('value').trim();
  return FIXED.includes(input.typedInput('type')) && value !== '' ? value : undefined;
}

/** The value of an input in the notation of flows, for example `msg.run`; empty if it has none. */
function sourceOf(kind: Kind): string {
  const input = inputOf(kind);
  const [type, value] = [input.typedInput('type'), input.typedInput('value').trim()];
  if (value === '' || FIXED.includes(type)) return '';
  if (type === 'env') return `\${${value}}`;
  return type === 'jsonata' ? value : `${type}.${value}`;
}

/** A number gets the ID. An input that depended on the message gets the type that fits. */
function setFixedValue(input: JQuery, id: string, reference: string): void {
  const before = input.typedInput('type');
  const fitting = reference === id ? 'num' : 'str';
  const type = FIXED.includes(before) ? before : fitting;
  if (type !== before) input.typedInput('type', type);
  input.typedInput('value', type === 'num' ? id : reference);
}

/** The lists to show in turn: the run of a step and the step of a field come first, unless they are fixed. */
function openKinds(kind: Kind): Kind[] {
  const before = KINDS.slice(0, KINDS.indexOf(kind)).filter((each) => !fixedValue(each));
  // The ID of a step is enough.
  const isStepId = kind === 'field' && /^\d+$/.test(fixedValue('step') ?? '');
  return [...(isStepId ? [] : before), kind];
}

/** Opens the panel next to a button. */
function openPicker(node: EditedNode, wanted: Kind, button: JQuery): void {
  const text = (key: string, values?: Record<string, string | number>) =>
    node._(`ion-step.picker.${key}`, values);
  const requests = latestRequest();
  const kinds = openKinds(wanted);
  const chosen: Partial<Record<Kind, string>> = {};
  const search = $('<input type="text" autocomplete="off">');
  const example = $('<p class="ion-step-example">');
  const list = $('<div class="ion-step-found" role="group">');
  const note = $('<p class="ion-step-note" role="status">');
  const content = $('<div class="ion-step-picker" role="dialog">')
    .attr('aria-label', text(wanted))
    .append($('<style>').text(STYLE), example, search, note, list);
  const panel = RED.popover.panel(content);
  let found: string | undefined;
  let timer: number | undefined;
  const stop = () => {
    window.clearTimeout(timer);
    requests.cancel();
  };
  const close = () => {
    stop();
    panel.hide(true);
    button.trigger('focus');
  };

  const say = (said: string, isError = false) =>
    note.text(said).toggleClass('ion-step-failed', isError);

  const find = async () => {
    const signal = requests.start();
    const kind = kinds[0] ?? wanted;
    found = String(search.val());
    list.empty();
    if (!isConfigChosen()) {
      say(text('noConfig'), true);
      return;
    }
    say(text('searching'));
    try {
      const result = await request(node, kind, found, chosen, signal);
      if (signal.aborted) return;
      const count = result.found.length;
      list.append(...result.found.map((each) => item(each, kind)));
      if (count === 0) say(text(`none.${kind}`));
      else say(result.isMore ? text('more', { count }) : '');
    } catch (thrown) {
      if (signal.aborted) return;
      const { code, message, isDeployed } = thrown as ServerError;
      say(isDeployed === false ? text('notDeployed') : text('failed', { code, message }), true);
    }
  };
  const next = () => {
    const kind = kinds[0] ?? wanted;
    const label = text(`search.${kind}`);
    const source = sourceOf(kind);
    const key = source === '' ? `exampleWithout.${kind}` : `example.${kind}`;
    example.text(kind === wanted ? '' : text(key, { source }));
    search.attr({ placeholder: label, 'aria-label': label }).val('').trigger('focus');
    void find();
  };
  const item = ({ id, name, reference, details }: Found, kind: Kind) =>
    $('<button type="button">')
      .append($('<b>').text(name || id), $('<small>').text([`ID ${id}`, ...details].join(' · ')))
      .on('click', () => {
        if (kind !== wanted) {
          chosen[kind] = id;
          kinds.shift();
          next();
          return;
        }
        setFixedValue(inputOf(wanted), id, reference);
        close();
      });

  const findLater = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => String(search.val()) !== found && void find(), DELAY_MS);
  };
  // The search box itself does not notice a text that is pasted.
  search.searchBox({ style: 'compact', change: findLater }).on('input', findLater);
  content.on('keydown', (event) => {
    moveFocus(event, search, list);
    if (event.key !== 'Escape') return;
    // The editor's own handlers would look for the removed panel in the page.
    event.stopPropagation();
    close();
  });
  panel.show({
    target: button,
    align: 'left',
    offset: [button.outerWidth() ?? 0, 2],
    dispose: true,
    onclose: stop,
  });
  if (RED.user.hasPermission('ion-config.write')) next();
  else say(text('notPermitted'), true);
}

/** Moves between the search text and the results by the arrow keys. */
function moveFocus(event: JQuery.TriggeredEvent, search: JQuery, list: JQuery): void {
  const items = list.children();
  const at = items.index(event.target);
  if (event.key === 'Enter' && at < 0) {
    event.preventDefault();
    if (items.length === 1) items.trigger('click');
  }
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const to = at + step;
  (to < 0 ? search : items.eq(Math.min(to, items.length - 1))).trigger('focus');
}

function request(
  node: EditedNode,
  kind: Kind,
  search: string,
  chosen: Partial<Record<Kind, string>>,
  signal: AbortSignal,
): Promise<FoundTargets> {
  const config = chosenConfig();
  const [running] = runningConfigs(config, node.z);
  const id = running?.id || '_';
  const { run = fixedValue('run'), step = fixedValue('step') } = chosen;
  const wanted = { kind, search, run, step };
  const send = (route: string, body: object) =>
    adminRequest<FoundTargets>({ url: `ion-config/${route}`, method: 'POST', body, signal });
  return withSettings(
    id,
    () => send(`${encodeURIComponent(id)}/find`, wanted),
    (settings) => send('find', { ...settings, ...wanted }),
  );
}

export type TargetPicker = typeof openPicker;

declare global {
  interface Window {
    ionTargetPicker?: TargetPicker;
  }
}

window.ionTargetPicker = openPicker;
