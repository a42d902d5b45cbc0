/** What JSON writes as an object, unlike a list, but also unlike a Buffer, a Map or a Date. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]';
}
