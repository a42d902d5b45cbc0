/** Long runs with `npm run test:soak`, shortened ones with all other tests. */
export const isSoak = process.env.SOAK === 'true';

/** At a desk the same cases run with less of each, and so do those that ran in full on another Node.js. */
const isBrief = process.env.CI !== 'true' || process.env.BRIEF === 'true';

/** The amount of work of a long test. */
export function byLength<T>({ soak, usual, brief }: { soak?: T; usual: T; brief: T }): T {
  if (isSoak) return soak ?? usual;
  return isBrief ? brief : usual;
}

/** Number of inputs for a property. */
export function inputs(usual: number): number {
  return byLength({ usual, brief: Math.ceil(usual / 4) });
}
