/** The reasons that the status of a node can show in a few words, by their keys in the catalogue. */
export const REASONS = [
  'noConfig',
  'noClientId',
  'noClientSecret',
  'noVariable',
  'notEvaluated',
  'noPlace',
  'emptyQuery',
  'syntaxError',
  'noMutation',
  'noObject',
  'notSendable',
  'unknownHost',
  'connectionRefused',
  'unreachable',
  'certificate',
  'tooLarge',
  'noRun',
  'noStep',
  'noField',
  'noValue',
  'noFilename',
  'noContent',
  'noFile',
  'notReference',
  'notTextOrNumber',
  'notStatus',
  'unknownRun',
  'unknownStep',
  'unknownField',
  'severalRuns',
  'severalSteps',
  'severalFields',
  'notNumber',
  'tooManyDigits',
  'notBoolean',
  'notText',
  'notOption',
  'notDate',
  'notValue',
  'stepStatus',
  'earlierStep',
  'expired',
  'unknownValue',
  'needsIsOneOf',
] as const;

export type ReasonKey = (typeof REASONS)[number];

/** Why an operation failed, in a few words. */
export interface Reason {
  key: ReasonKey;
  /** The name that the text inserts, such as that of a step. */
  name?: string | undefined;
  /** Another text that it inserts, such as a value. */
  value?: string | undefined;
}
