import {
  ACTIONS,
  type Action,
  DIALECTS,
  isPartNamed,
  type NamedDialect,
  SMALLER_SCHEMAS,
} from './dialects.js';

/** The texts of the actions that failed. */
type Failures = ReadonlyMap<Action, string>;

/** The tables of docs/reliability.md about IONs that differ from the documented one. */
export function dialectTables(observed: ReadonlyMap<NamedDialect, Failures>): string {
  const notes: string[] = [];
  const cell = (failure: string | undefined) => {
    if (failure === undefined) return '✓';
    if (!notes.includes(failure)) notes.push(failure);
    return `(${notes.indexOf(failure) + 1})`;
  };
  const failuresOf = (dialect: NamedDialect): Failures => observed.get(dialect) ?? new Map();
  const rows = DIALECTS.map((dialect) => {
    const failures = failuresOf(dialect);
    const cells = ACTIONS.map((action) => cell(failures.get(action)));
    return `| ${[dialect.name, ...cells].join(' | ')} |`;
  });
  return [
    '',
    `| ION has | ${ACTIONS.join(' | ')} |`,
    `| --- | ${ACTIONS.map(() => ':-:').join(' | ')} |`,
    ...rows,
    '',
    ...notes.map((note, i) => `(${i + 1}) \`${note}\`  `),
    '',
    ...partTable(failuresOf),
    '',
  ].join('\n');
}

/** A row for each part that something needs. */
function partTable(failuresOf: (dialect: NamedDialect) => Failures): string[] {
  const needed: string[] = [];
  let unneeded = 0;
  for (const dialect of SMALLER_SCHEMAS) {
    const failures = failuresOf(dialect);
    const [part = ''] = dialect.settings.unknown ?? [];
    const [text] = failures.values();
    if (text === undefined) unneeded++;
    else if (isPartNamed(part, text))
      needed.push(`| \`${part}\` | ${[...failures.keys()].join(', ')} | ${text} |`);
  }
  return [
    `Without any one of ${unneeded} other parts of the schema that the nodes use, everything works. These are needed:`,
    '',
    '| part | for | text |',
    '| --- | --- | --- |',
    ...needed,
  ];
}
