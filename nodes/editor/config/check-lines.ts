// The lines of a check, as the admin route returns them, as text and as elements.
import { insertValues } from '../shared/insert-values.js';
import type { CheckTexts } from './check-texts.js';

type CheckState = 'ok' | 'failed' | 'unknown';

export interface CheckLine {
  check: string;
  state: CheckState;
  /** Key of a text, like the advice. */
  finding: string;
  advice?: string;
  values?: Record<string, string | number>;
  nodes?: { id: string; type: string; name: string }[];
}

export interface CheckResult {
  checkedAt: string;
  endpoint: string;
  lines: CheckLine[];
}

/** Lines that need attention come first. */
const ORDER: readonly CheckState[] = ['failed', 'unknown', 'ok'];
const ICONS: Record<CheckState, string> = {
  ok: 'fa-check-circle',
  failed: 'fa-times-circle',
  unknown: 'fa-question-circle',
};

export function sorted(lines: readonly CheckLine[]): CheckLine[] {
  return [...lines].sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
}

export function summaryOf(texts: CheckTexts, lines: readonly CheckLine[]): string {
  const count = (state: CheckState) => lines.filter((line) => line.state === state).length;
  const values = { ok: count('ok'), failed: count('failed'), unknown: count('unknown') };
  return insertValues(texts.summary, values);
}

/** The whole result as plain text, for a support request. */
export function resultText(texts: CheckTexts, { checkedAt, endpoint, lines }: CheckResult): string {
  const head = insertValues(texts.title, { endpoint: endpoint || '–', time: checkedAt });
  const items = lines.map((line) => {
    const { label, finding, advice, nodes } = textsOf(texts, line);
    return [
      `[${texts.state[line.state]}] ${label}: ${finding}`,
      ...(nodes ? [`    ${nodes}`] : []),
      ...(advice ? [`    ${insertValues(texts.advice, { advice })}`] : []),
    ].join('\n');
  });
  return `${[head, summaryOf(texts, lines), '', ...items].join('\n')}\n`;
}

export function lineItem(texts: CheckTexts, line: CheckLine): JQuery {
  const { label, finding, advice, nodes } = textsOf(texts, line);
  const state = texts.state[line.state];
  const icon = $(`<i class="fa ${ICONS[line.state]}" role="img">`).attr({
    'aria-label': state,
    title: state,
  });
  const text = $('<div class="ion-check-text">').append($('<div>').text(finding));
  if (nodes) text.append($('<div class="ion-check-nodes">').text(nodes));
  if (advice) {
    const hint = $('<i class="fa fa-lightbulb-o" aria-hidden="true">');
    text.append($('<div class="ion-check-advice">').append(hint, document.createTextNode(advice)));
  }
  return $(`<li class="ion-check-${line.state}">`).append(icon, $('<b>').text(label), text);
}

interface LineTexts {
  label: string;
  finding: string;
  advice: string;
  nodes: string;
}

function textsOf(texts: CheckTexts, line: CheckLine): LineTexts {
  const { check, finding, advice, nodes = [] } = line;
  // A server of another version may know other lines.
  const text = (catalogue: Record<string, string>, key: string) => catalogue[key] ?? key;
  const because = line.values?.because;
  const values = {
    ...line.values,
    ...(because !== undefined && { because: text(texts.check, String(because)) }),
  };
  const named = nodes.map((node) =>
    node.name ? insertValues(texts.node, node) : `${node.type} ${node.id}`,
  );
  return {
    label: text(texts.check, check),
    finding: insertValues(text(texts.finding, finding), values),
    advice: advice ? insertValues(text(texts.adviceOn, advice), values) : '',
    nodes: named.length > 0 ? insertValues(texts.nodes, { nodes: named.join(', ') }) : '',
  };
}
