const KINDS = ['serial', 'run', 'location'];

/** The label of the value, by the kind that is looked up; any other kind has that of a barcode. */
export function valueLabel(by: string): string {
  const name = KINDS.includes(by) ? by : 'value';
  return RED._(`@ion-nodes/node-red-ion/ion-lookup:ion-lookup.label.${name}`);
}
