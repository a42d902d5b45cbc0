/** A text of the query builder. The catalogue of `ion-runs` has them for all dialogs. */
export function queryText(key: string, values?: Record<string, string>): string {
  return RED._(`@ion-nodes/node-red-ion/ion-runs:${key}`, values);
}
