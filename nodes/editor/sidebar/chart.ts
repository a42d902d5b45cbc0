// Two small charts of the last 15 minutes. They are two paths each, so that a chart library (60 kB and
// more) would make the sidebar larger by several times for nothing that it needs.
import type { RequestSlot } from './status.js';
import { durationText, numberText, text } from './texts.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 300;
const HEIGHT = 36;

export interface Chart {
  element: HTMLElement;
  show(slots: readonly RequestSlot[]): void;
}

/** Bars: all requests, and the failed ones. */
export function requestChart(): Chart {
  return chart('requests', ['all', 'errors'], (slots) => {
    const most = Math.max(...slots.map(({ requests }) => requests));
    const bars = (count: (slot: RequestSlot) => number) =>
      slots.map((slot, index) => bar(index, slots.length, count(slot) / (most || 1))).join('');
    const count = (read: (slot: RequestSlot) => number) =>
      numberText(slots.reduce((sum, slot) => sum + read(slot), 0));
    const [requests, errors] = [count((slot) => slot.requests), count((slot) => slot.errors)];
    return {
      paths: [bars((slot) => slot.requests), bars((slot) => slot.errors)],
      values: [requests, errors],
      description: text('chart.requestsAre', { requests, errors }),
    };
  });
}

/** Lines: the median and the 99th percentile of the response times. */
export function durationChart(): Chart {
  return chart('durations', ['p50', 'p99'], (slots) => {
    const most = Math.max(...slots.map(({ p99 = 0 }) => p99)) || 1;
    const last = slots.findLast(({ p50 }) => p50 !== undefined);
    const values = [last?.p50, last?.p99].map((ms) => (ms === undefined ? '–' : durationText(ms)));
    const [p50 = '', p99 = ''] = values;
    return {
      paths: [line(slots, ({ p50 }) => p50, most), line(slots, ({ p99 }) => p99, most)],
      values,
      description: text('chart.durationsAre', { p50, p99 }),
    };
  });
}

interface Drawing {
  /** One for each series. */
  paths: string[];
  /** For the legend. */
  values: string[];
  description: string;
}

function chart(
  name: string,
  series: readonly string[],
  draw: (slots: readonly RequestSlot[]) => Drawing,
): Chart {
  const svg = svgElement('svg', {
    ...{ viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
    class: `ion-chart ion-chart-${name}`,
  });
  const paths = series.map((each) => svgElement('path', { class: `ion-chart-${each}` }));
  svg.append(...paths);
  const legend = series.map((each) => {
    const value = $('<b>');
    const swatch = $('<i aria-hidden="true">').addClass(`ion-chart-key ion-chart-${each}`);
    return {
      value,
      item: $('<span>').append(swatch, document.createTextNode(`${text(`chart.${each}`)} `), value),
    };
  });
  const caption = $('<figcaption>').append(
    $('<span>').text(text(`chart.${name}`)),
    ...legend.map(({ item }) => item),
  );
  const [element] = $('<figure>').append(caption, $(svg)).get();
  if (!element) throw new Error('no element');
  return {
    element,
    show(slots) {
      const drawing = draw(slots);
      for (const [index, path] of paths.entries()) {
        path.setAttribute('d', drawing.paths[index] ?? '');
        legend[index]?.value.text(drawing.values[index] ?? '');
      }
      svg.setAttribute('aria-label', drawing.description);
    },
  };
}

function bar(index: number, count: number, share: number): string {
  if (share <= 0) return '';
  const width = WIDTH / count;
  // A few requests beside many are still seen.
  const height = Math.max(1.5, share * HEIGHT);
  const [left, top] = [round(index * width), round(HEIGHT - height)];
  return `M${left} ${HEIGHT}V${top}h${round(width - 1)}V${HEIGHT}z`;
}

/** A line with gaps in the time without requests; a single point is a short line. */
function line(
  slots: readonly RequestSlot[],
  read: (slot: RequestSlot) => number | undefined,
  most: number,
): string {
  const width = WIDTH / slots.length;
  return slots
    .map((slot, index) => {
      const value = read(slot);
      if (value === undefined) return '';
      const y = round(HEIGHT - 1 - (value / most) * (HEIGHT - 2));
      const before = slots[index - 1];
      const isJoined = before !== undefined && read(before) !== undefined;
      return `${isJoined ? 'L' : 'M'}${round(index * width)} ${y}h${round(width)}`;
    })
    .join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function svgElement(name: string, attributes: Record<string, string>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
