// The card of a config node.

import { nodeOfRunning } from '../subflows/instances.js';
import { durationChart, requestChart } from './chart.js';
import { checkSection } from './check-section.js';
import { outboxSection, setText } from './outbox-section.js';
import type { Details, Status } from './status.js';
import { ageText, durationText, meaningOf, numberText, text, timeText } from './texts.js';
import { usersSection } from './users-section.js';
import { type Severity, type Verdict, verdictOf } from './verdict.js';

export interface Card {
  element: JQuery;
  /** That of the first line, as it was shown last. */
  severity: Severity;
  /** @param now the server's clock */
  show(status: Status, now: number): void;
}

interface CardOptions {
  isOpen: boolean;
  onToggled(isOpen: boolean): void;
  /** Gets the outbox after a decision. */
  onDecided(outbox: NonNullable<Details['outbox']>): void;
}

const ICONS: Record<Severity, string> = {
  failed: 'fa-times-circle',
  attention: 'fa-exclamation-triangle',
  ok: 'fa-check-circle',
};

export function createCard(id: string, { isOpen, onToggled, onDecided }: CardOptions): Card {
  const name = $('<span class="ion-card-name">');
  const environment = $('<span class="ion-card-environment">');
  const mode = $('<span class="ion-card-mode">').text(text('dryRun'));
  const bodyId = `ion-card-${id}`;
  const body = $('<div class="ion-card-body">').attr('id', bodyId).toggle(isOpen);
  const title = $('<button type="button" class="ion-card-title">')
    .attr({ 'aria-expanded': String(isOpen), 'aria-controls': bodyId })
    .append(
      $('<i class="fa fa-angle-right" aria-hidden="true">'),
      name,
      ' ',
      environment,
      ' ',
      mode,
    )
    .on('click', () => {
      const willOpen = title.attr('aria-expanded') !== 'true';
      title.attr('aria-expanded', String(willOpen));
      body.toggle(willOpen);
      onToggled(willOpen);
    });
  const verdict = $('<p role="status">');
  const facts = factList();
  const charts = [requestChart(), durationChart()];
  const codes = $('<ul class="ion-card-codes">');
  const outbox = outboxSection(id, onDecided);
  const events = $('<section>').append($('<h4>').text(text('events')), $('<p>'));
  const users = usersSection();
  body.append(
    facts.element,
    ...charts.map(({ element }) => $(element)),
    ...[codes, outbox.element, events, users.element, checkSection(id, openButton(id))],
  );
  const element = $('<article class="ion-card">')
    .attr('data-config', id)
    .append($('<h3>').append(title), verdict, body);

  const card: Card = {
    element,
    severity: 'ok',
    show(status, now) {
      const { details, requests } = status;
      setText(name, details.name || text('unnamed'));
      setText(environment, environmentText(details));
      mode.toggle(details.isDryRun === true);
      const shown = verdictOf(status);
      card.severity = shown.severity;
      showVerdict(verdict, shown);
      facts.show(factsOf(status, now));
      for (const chart of charts) chart.show(details.slots);
      showCodes(codes, requests.codes);
      outbox.show(status, now);
      events.toggle(status.events !== undefined);
      setText(events.children('p'), eventsText(status, now));
      users.show(status);
    },
  };
  return card;
}

/** Opens the dialog; for a copy in an instance of a subflow, that of the original. */
function openButton(id: string): JQuery {
  return $('<button type="button" class="red-ui-button red-ui-button-small">')
    .append($('<i class="fa fa-pencil" aria-hidden="true">'), ` ${text('openConfig')}`)
    .on('click', () => {
      const found = nodeOfRunning(id);
      // Without a node, the editor would add a new one.
      if (found) RED.editor.editConfig('', 'ion-config', String(found.id));
    });
}

function environmentText({ environment, endpoint }: Details): string {
  if (environment !== 'custom') return text(`environment.${environment}`);
  return endpoint ? new URL(endpoint).host : text('environment.custom');
}

function showVerdict(element: JQuery, { severity, key, values, since, code }: Verdict): void {
  const shown = {
    ...values,
    ...(since !== undefined && { since: timeText(since) }),
    ...(code && { code, meaning: meaningOf(code), advice: text(`advice.${code}`) }),
  };
  const line = text(`verdict.${key}`, shown);
  if (element.text() === line && element.hasClass(`ion-card-${severity}`)) return;
  const icon = $(`<i class="fa ${ICONS[severity]}" role="img">`).attr({
    'aria-label': text(`severity.${severity}`),
    title: text(`severity.${severity}`),
  });
  element
    .attr('class', `ion-card-verdict ion-card-${severity}`)
    .empty()
    .append(icon, $('<span>').text(line));
}

/** Labels and values. */
function factsOf(status: Status, now: number): [string, string][] {
  const { details, running, waiting, perSecond, tokenUntil, requests } = status;
  const { owner } = details;
  const ownerText = [owner?.name, owner?.organization].filter(Boolean).join(', ');
  const token =
    tokenUntil === undefined || tokenUntil < now
      ? text('noToken')
      : text('tokenUntil', {
          time: timeText(tokenUntil, 'short'),
          left: ageText(tokenUntil - now),
        });
  const counts = {
    running: numberText(running),
    waiting: numberText(waiting),
    perSecond: perSecond === undefined ? '–' : numberText(perSecond),
  };
  const { p50, p99 } = requests;
  const durations = p50 === undefined || p99 === undefined ? undefined : [p50, p99];
  const [median = '', slowest = ''] = durations?.map(durationText) ?? [];
  return [
    [text('connectedAs'), ownerText || text('ownerUnknown')],
    [text('token'), token],
    [text('requests'), text('requestCounts', counts)],
    [text('responseTime'), durations ? text('percentiles', { median, slowest }) : '–'],
  ];
}

function factList(): { element: JQuery; show(facts: [string, string][]): void } {
  const element = $('<dl class="ion-card-facts">');
  const values: JQuery[] = [];
  return {
    element,
    show(facts) {
      for (const [index, [label, value]] of facts.entries()) {
        let shown = values[index];
        if (!shown) {
          shown = $('<dd>');
          values.push(shown);
          element.append($('<dt>').text(label), shown);
        }
        setText(shown, value);
      }
    },
  };
}

/** Failed requests by code, with a bar for each. */
function showCodes(list: JQuery, codes: Record<string, number>): void {
  const sorted = Object.entries(codes).sort(([, one], [, other]) => other - one);
  const key = JSON.stringify(sorted);
  if (list.attr('data-codes') === key) return;
  const [, most = 1] = sorted[0] ?? [];
  const items = sorted.map(([code, count]) =>
    $('<li>').append(
      $('<span>').text(`${code} (${meaningOf(code)})`),
      $('<b>').text(numberText(count)),
      $('<i aria-hidden="true">').css('width', `${(100 * count) / most}%`),
    ),
  );
  list.attr({ 'data-codes': key, 'aria-label': text('errorsByCode') });
  list
    .empty()
    .append(items)
    .toggle(items.length > 0);
}

function eventsText({ events }: Status, now: number): string {
  if (!events) return '';
  const { count, lastAt, lagMs } = events;
  const values = { count: numberText(count), age: ageText(now - lastAt) };
  const last = text('lastEvent', values);
  return lagMs === undefined ? last : `${last} · ${text('lag', { lag: durationText(lagMs) })}`;
}
