// The work that a code, a serial number, a run or a station means. Everything here is plain JSON, because
// answers are also kept on disk.
import type { Id } from '../support/id.js';

/** The kinds of values that people and machines have in place of ION's IDs. */
export type LookupBy = 'barcode' | 'serial' | 'run' | 'location';

export interface WorkQuery {
  by: LookupBy;
  /** A barcode as it was scanned, a serial number, the ID or the title of a run, the ID or the name of a location. */
  value: string;
  /** Only with `serial`: the part number, if several parts have the serial number; otherwise empty. */
  part: string;
  /** Title of a step; empty for the current step. */
  step: string;
  /** Whether the fields of the step are read as well. */
  fields: boolean;
}

/** The part inventory that a run builds. */
export interface WorkUnit {
  id: Id;
  serialNumber: string | null;
  lotNumber: string | null;
  partNumber: string | null;
  revision: string | null;
  description: string | null;
}

export interface WorkRun {
  id: Id;
  title: string | null;
  status: string | null;
}

export interface WorkStep {
  id: Id;
  title: string | null;
  status: string | null;
  position: number | null;
  availableToWork: boolean | null;
  /** Whether a value reaches every run of a batch. */
  batched: boolean | null;
  location: { id: Id; name: string | null } | null;
}

/** A limit of a field, such as a largest value. Null for what ION did not return. */
export interface WorkValidation {
  /** The name of the comparison, such as `Less than`. */
  name: string | null;
  /** The number that the value is compared with. */
  value: number | null;
  /** `PASS`, `FAIL` or `PENDING`. */
  result: string | null;
}

export interface WorkField {
  id: Id;
  type: string | null;
  unit: string | null;
  required: boolean | null;
  options: string[] | null;
  value: unknown;
  /** ION's judgment of the value; null without one. */
  valid: boolean | null;
  /** The limits in ION's order; empty if there are none, or ION did not return them. */
  validations: WorkValidation[];
}

export interface Work {
  /** Null for a run without a unit. */
  unit: WorkUnit | null;
  run: WorkRun;
  step: WorkStep;
  /** By name; missing if they were not asked for. */
  fields?: Record<string, WorkField>;
}

/** One of several, with the members that ION returned. */
export interface WorkCandidate {
  unit?: WorkUnit;
  run?: WorkRun;
  step?: WorkStep;
  location?: { id: Id; name: string | null };
}

/**
 * Why there is not exactly one step to work on: nothing was found; several units, runs or steps were; or
 * the only step, or all of them, cannot be worked on now.
 */
export type NoWork = 'none' | 'several' | 'blocked';

export type WorkAnswer =
  | { found: 'one'; work: Work }
  | {
      found: NoWork;
      /** In plain words, with what was looked for. */
      reason: string;
      /** With `blocked`, the steps that block. Empty with `none`. */
      candidates: WorkCandidate[];
    };
