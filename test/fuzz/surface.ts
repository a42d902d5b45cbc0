import { unclear } from './clear.js';
import type { Injection } from './inside.js';
import type { FuzzIon } from './ion.js';
import type { Target } from './target.js';
import type { Random } from './values.js';

/** The two good outcomes of a case. */
export type Outcome = 'right' | 'clear';

/** A case without a good outcome. */
export class Finding extends Error {}

export interface FuzzCase {
  /** A short description of the input. Complete once the case has run. */
  what: string;
  /** @throws Finding */
  run(): Promise<Outcome>;
  /** The same without this package. If it blocks the event loop as well, the stop is Node-RED's own. */
  control?(): Promise<void>;
}

export interface Bench {
  target: Target;
  ion: FuzzIon;
}

/** One kind of external input. */
export interface Surface {
  name: string;
  make(random: Random, bench: Bench, seeds: (string | number)[]): FuzzCase;
}

/** Passes a message to a node, and checks its outcome. */
export async function judgeMessage(
  { target }: Bench,
  injection: Injection,
): Promise<{ outcome: Outcome; code: string | undefined }> {
  const { ended, caught, error } = await target.inject(injection);
  if (ended !== 1) throw new Finding(`the message ended ${ended} times`);
  if (!error) return { outcome: 'right', code: undefined };
  const reason = unclear(error);
  if (reason) throw new Finding(reason);
  if (caught !== 1) throw new Finding(`${error.code} was caught ${caught} times`);
  return { outcome: 'clear', code: error.code };
}
