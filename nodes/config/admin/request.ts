import type { Request } from 'express';
import { IonError, type IonErrorCode } from '../../client/errors.js';
import { checkDepth } from '../../client/support/json.js';

/** A request that is rejected before its content is read. */
export class BadRequest extends IonError {
  constructor(
    readonly httpStatus: 400 | 415,
    code: IonErrorCode,
    message: string,
  ) {
    super(code, message);
  }
}

export function idOf(req: Request): string {
  return String(req.params.id);
}

/** The IDs in a query such as `?ids=a,b`; `undefined` without it. */
export function idsOf({ query: { ids } }: Request): string[] | undefined {
  return typeof ids === 'string' ? ids.split(',') : undefined;
}

/** The number of a write; NaN for another text. */
export function sequenceOf(req: Request): number {
  return Number(req.params.sequence);
}

export function isRefresh(req: Request): boolean {
  return req.query.refresh !== undefined;
}

/**
 * Only JSON: a foreign web page can make a browser send a form, but not JSON without a preflight.
 * @throws BadRequest
 */
export function bodyOf(req: Request): unknown {
  if (!req.is('application/json')) {
    throw new BadRequest(415, 'ION_CONFIG', 'The request must have a body of type JSON.');
  }
  try {
    checkDepth(req.body);
  } catch {
    throw new BadRequest(
      400,
      'ION_RESPONSE',
      'The variables, or another part of the request, are nested too deeply.',
    );
  }
  return req.body;
}
