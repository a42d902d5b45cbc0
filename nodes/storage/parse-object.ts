import { isPlainObject } from '../client/support/json.js';

/** @returns no properties if the JSON is missing or damaged */
export function parseObject<Value>(bytes: Buffer | undefined): Partial<Value> {
  try {
    const value: unknown = bytes && JSON.parse(bytes.toString('utf8'));
    return isPlainObject(value) ? (value as Partial<Value>) : {};
  } catch {
    return {};
  }
}
