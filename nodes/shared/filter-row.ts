/** A filter as a dialog stores it. Its value is a typed input of Node-RED. */
export interface FilterRow {
  field: string;
  /** An operator that the client knows, or one that only the schema of an environment has. */
  op: string;
  value: string;
  valueType: string;
}
