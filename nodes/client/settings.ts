import { trimEnds } from './support/trim-ends.js';

/** A number in a dialog. Units are in the label. */
export interface NumberSetting {
  /** The label in the English dialog, with its unit. */
  readonly label: string;
  /** Applies to an empty or missing value. */
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly isInteger: boolean;
  /**
   * Whether it may also be `auto`, as in new nodes.
   * @default false
   */
  readonly mayBeAuto?: boolean;
}

// One constant for each node, so that the script of a dialog contains only its own numbers.

export const configNumbers = {
  timeout: { label: 'Timeout (s)', default: 30, min: 0.1, max: 3600, isInteger: false },
  retries: { label: 'Retries', default: 3, min: 0, max: 100, isInteger: true },
  concurrency: { label: 'Concurrent requests', default: 10, min: 1, max: 1000, isInteger: true },
  queueLimit: { label: 'Queue limit', default: 1000, min: 0, max: 10_000_000, isInteger: true },
  outboxLimit: {
    label: 'Max. entries',
    default: 1_000_000,
    min: 1,
    max: 100_000_000,
    isInteger: true,
  },
  outboxSize: { label: 'Max. size (MiB)', default: 1024, min: 1, max: 1_048_576, isInteger: true },
  /** 0: any age. */
  healthAge: { label: 'Max. age (min)', default: 15, min: 0, max: 525_600, isInteger: false },
  /** 0: any number. */
  healthRejected: {
    label: 'Rejection limit',
    default: 0,
    min: 0,
    max: 100_000_000,
    isInteger: true,
  },
} as const satisfies Record<string, NumberSetting>;

/** A fixed number of writes of the outbox in one request. */
export const writesPerRequest: NumberSetting = {
  label: 'Writes per request',
  default: 1,
  min: 1,
  max: 50,
  isInteger: true,
};

/** The number of writes in one request, `auto` for an empty value; `undefined` for an invalid one. */
export function readWritesPerRequest(value: unknown): 'auto' | number | undefined {
  const given = typeof value === 'string' ? trimEnds(value).toLowerCase() : (value ?? '');
  return given === '' || given === 'auto' ? 'auto' : readNumber(writesPerRequest, given);
}

export const pageNumbers = {
  pageSize: {
    label: 'Page size',
    default: 100,
    min: 1,
    max: 100_000,
    isInteger: true,
    mayBeAuto: true,
  },
  /** 0: no limit. */
  limit: { label: 'Limit', default: 0, min: 0, max: 1_000_000_000, isInteger: true },
} as const satisfies Record<string, NumberSetting>;

/** The delivery of `ion-graphql` by the outbox. */
export const deliveryNumbers = {
  /** 0: no limit. */
  keepFor: { label: 'Keep for (h)', default: 0, min: 0, max: 100_000, isInteger: false },
} as const satisfies Record<string, NumberSetting>;

export const eventsNumbers = {
  // The limit is below that of Node.js timers, 24.8 days.
  interval: { label: 'Interval (s)', default: 10, min: 0.1, max: 2_073_600, isInteger: false },
  expectedResponseCode: {
    label: 'Response status',
    default: 200,
    min: 200,
    max: 599,
    isInteger: true,
  },
} as const satisfies Record<string, NumberSetting>;

export const lookupNumbers = {
  /** 0: never. */
  remember: { label: 'Memory (h)', default: 24, min: 0, max: 8760, isInteger: false },
} as const satisfies Record<string, NumberSetting>;

/** Defaults and limits for client, nodes and dialogs. */
// Marked as pure, or each dialog would contain it because of the spread.
export const numberSettings = /* @__PURE__ */ (() => ({
  'ion-config': configNumbers,
  'ion-graphql': { ...pageNumbers, ...deliveryNumbers },
  'ion-lookup': lookupNumbers,
  'ion-runs': pageNumbers,
  'ion-events': eventsNumbers,
}))();

/** Whether a value says that the number is found automatically. */
export function isAuto(value: unknown): boolean {
  return typeof value === 'string' && trimEnds(value).toLowerCase() === 'auto';
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** Limit for the text of a number, in characters. */
const MAX_DIGITS = 100;

/** @returns the number, or the default for an empty value; `undefined` for an invalid value */
export function readNumber(setting: NumberSetting, value: unknown): number | undefined {
  const given = typeof value === 'string' ? trimEnds(value) : (value ?? '');
  if (given === '') return setting.default;
  const isDecimal = typeof given === 'string' && given.length <= MAX_DIGITS && DECIMAL.test(given);
  if (!isDecimal && typeof given !== 'number') return undefined;
  const number = Number(given);
  // NaN fails both comparisons.
  const fits = number >= setting.min && number <= setting.max;
  return fits && (!setting.isInteger || Number.isInteger(number)) ? number : undefined;
}
