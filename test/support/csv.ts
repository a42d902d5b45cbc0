import assert from 'node:assert/strict';

/** Reads CSV according to RFC 4180. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const found = cell.exec(text);
    assert.ok(found, `no CSV: ${JSON.stringify(text.slice(at, at + 80))}`);
    const [, quoted, plain, end] = found;
    row.push(quoted?.replaceAll('""', '"') ?? String(plain));
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}
