/** The text formats that Prometheus reads; their samples are the same. */
export type MetricFormat = 'prometheus' | 'openmetrics';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** Follows the name of the family. */
  suffix?: '_bucket' | '_sum' | '_count';
  labels: Labels;
  value: number;
}

/** The samples of one metric, with their description. */
export interface MetricFamily {
  /** That of a counter ends in `_total`. */
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  samples: readonly Sample[];
}

/** The content types, with which the formats are announced. */
export const contentTypes: Readonly<Record<MetricFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** The format for the `Accept` header of a request. */
export function formatFor(accept: string | undefined): MetricFormat {
  return accept?.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus';
}

/** Writes metrics as text. A family without samples is left out. */
export function metricText(families: readonly MetricFamily[], format: MetricFormat): string {
  const texts = families
    .filter(({ samples }) => samples.length > 0)
    .map((each) => textOf(each, format));
  if (format === 'openmetrics') texts.push('# EOF\n');
  return texts.join('');
}

function textOf({ name, type, help, samples }: MetricFamily, format: MetricFormat): string {
  // OpenMetrics describes a counter under its name without the suffix.
  const isShort = format === 'openmetrics' && type === 'counter';
  const described = isShort ? name.replace(/_total$/, '') : name;
  const lines = samples.map(
    ({ suffix = '', labels, value }) =>
      `${name}${suffix}${labelsText(labels)} ${numberText(value)}\n`,
  );
  return `# HELP ${described} ${help}\n# TYPE ${described} ${type}\n${lines.join('')}`;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  // Half a character (a lone surrogate) is no UTF-8.
  const text = Buffer.from(value).toString();
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
