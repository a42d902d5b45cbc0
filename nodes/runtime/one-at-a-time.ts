import { IonError } from '../client/errors.js';

/**
 * Runs work in the order in which it comes, each piece after the one before has ended.
 * @throws IonError `ION_OVERLOADED` where more than `limit` pieces wait
 */
export function oneAtATime(): <Result>(
  limit: number,
  work: () => Promise<Result>,
) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  let size = 0;
  return (limit, work) => {
    if (size > limit) {
      throw new IonError(
        'ION_OVERLOADED',
        `${limit} messages are already waiting for this node, which asks for changes one after the other. Send fewer.`,
      );
    }
    size++;
    const result = last.then(work).finally(() => {
      size--;
    });
    last = result.catch(() => {});
    return result;
  };
}
