/** Long runs by `npm run test:soak`, shortened ones with all other tests. */
export const isSoak = process.env.SOAK === 'true';

/** Still shorter, where the same tests run beside these with another Node.js. */
const isBrief = process.env.BRIEF === 'true';

/** How much a long test does. */
export function byLength<T>({ soak, usual, brief }: { soak?: T; usual: T; brief: T }): T {
  if (isSoak) return soak ?? usual;
  return isBrief ? brief : usual;
}

/** How many inputs a property is tried with. */
export function inputs(usual: number): number {
  return byLength({ usual, brief: Math.ceil(usual / 4) });
}
