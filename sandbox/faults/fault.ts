interface FaultBase {
  /** The endpoint that it hits. */
  target: 'api' | 'token';
  /** Number of the next matching requests that it hits; 1 by default. */
  times?: number;
  /** A regular expression that the request's body has to match. */
  match?: string;
  /** Whether the operation runs before the fault hits its response; false by default. */
  execute?: boolean;
  /** The operation runs this many milliseconds after the fault, even if nobody waits for it any more. */
  executeAfter?: number;
}

export type FaultEffect =
  | { kind: 'latency'; ms: number }
  | {
      kind: 'status';
      status: number;
      body?: string;
      headers?: Record<string, string>;
      contentType?: string;
    }
  | { kind: 'reset' }
  | { kind: 'half' }
  | { kind: 'hang' }
  | { kind: 'drip'; ms: number }
  | { kind: 'body'; body?: string; base64?: string; contentType?: string }
  | { kind: 'redirect'; location: string; status?: number }
  | { kind: 'unauthorized'; message?: string }
  | { kind: 'graphql'; errors: unknown[]; data?: unknown }
  | { kind: 'big'; bytes: number }
  | { kind: 'gzip-bomb'; bytes: number };

export type Fault = FaultBase & FaultEffect;

/** The choices of an effect that hits requests at random. */
export type FaultTarget = Pick<FaultBase, 'execute' | 'executeAfter' | 'match' | 'target'>;

/** A mutation that fails with a text, as a field of its document. */
export interface FieldFault {
  message: string;
  /** Share (0 to 1) of the mutations, at random; all by default. */
  share?: number;
  /** A regular expression that the mutation's arguments, as JSON, have to match. */
  match?: string;
  /** Whether the mutation is carried out before it fails; false by default. */
  execute?: boolean;
}

const EFFECTS: { [K in FaultEffect['kind']]: Record<string, 'number' | 'string' | 'object'> } = {
  latency: { ms: 'number' },
  status: { status: 'number' },
  reset: {},
  half: {},
  hang: {},
  drip: { ms: 'number' },
  body: {},
  redirect: { location: 'string' },
  unauthorized: {},
  graphql: { errors: 'object' },
  big: { bytes: 'number' },
  'gzip-bomb': { bytes: 'number' },
};
/** @throws TypeError for a fault of an unknown kind, or without its parameters */
export function checkFault(fault: Fault): void {
  const needed = EFFECTS[fault.kind];
  if (!needed) throw new TypeError(`There is no fault "${fault.kind}"`);
  if (fault.target !== 'api' && fault.target !== 'token') {
    throw new TypeError('A fault needs a target, "api" or "token"');
  }
  for (const [name, type] of Object.entries(needed)) {
    if (typeof (fault as unknown as Record<string, unknown>)[name] !== type) {
      throw new TypeError(`A fault "${fault.kind}" needs "${name}" (${type})`);
    }
  }
}
