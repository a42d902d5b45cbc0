/** Removes slashes at the end. A loop, because a regular expression would need quadratic time. */
export function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}
