import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { root, useTemporaryFolder } from '../../tools/package.js';

const BIOME = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');

/** Runs the lint rules for imports over files that each hold one import. */
async function refusedImports(folder: string, files: Map<string, string>): Promise<Set<string>> {
  const settings = JSON.parse(await readFile(join(root, 'biome.json'), 'utf8'));
  settings.vcs.enabled = false;
  await writeFile(join(folder, 'biome.json'), JSON.stringify(settings));
  for (const [path, name] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), `import * as m from '${name}';\nconsole.log(m);\n`);
  }
  const args = [
    'lint',
    '--only=style/noRestrictedImports',
    '--max-diagnostics=none',
    '--reporter=json',
  ];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [BIOME, ...args], { cwd: folder }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  const { diagnostics } = JSON.parse(output) as { diagnostics: { location: { path: string } }[] };
  return new Set(diagnostics.map(({ location }) => location.path));
}

/** Files, what each may import, and what each may not. */
const walls: readonly [string, readonly string[], readonly string[]][] = [
  [
    'nodes/ion-other.ts',
    ['./shared/message.js', './outbox/outbox.js', './client/client.js'],
    ['undici', 'oauth4webapi'],
  ],
  [
    'nodes/migrations/other.ts',
    ['./migrate.js'],
    ['../client/settings.js', '../shared/message.js', 'node:fs', 'node-red', 'undici'],
  ],
  [
    'nodes/shared/other.ts',
    [
      '../client/errors.js',
      '../client/support/json.js',
      '../migrations/migrate.js',
      './message.js',
      'node-red',
    ],
    [
      '../config/find-config.js',
      '../events/poll.js',
      '../outbox/outbox.js',
      '../ion-step.js',
      'undici',
    ],
  ],
  [
    'nodes/config/other.ts',
    [
      '../shared/environment-references.js',
      '../outbox/outbox.js',
      '../lookup/lookups.js',
      '../storage/folder.js',
      '../client/client.js',
      '../migrations/migrate.js',
      '../monitoring/config-metrics.js',
      '../monitoring/recent-requests.js',
    ],
    ['../events/poll.js', '../graphql/outbox-write.js', '../ion-config.js', 'oauth4webapi'],
  ],
  [
    'nodes/events/other.ts',
    ['../config/find-config.js', '../shared/message.js', '../client/webhooks/event.js'],
    ['../runs/output.js', '../graphql/outbox-write.js', '../ion-events.js', 'undici'],
  ],
  [
    'nodes/graphql/other.ts',
    ['../config/find-config.js', '../outbox/outbox.js'],
    ['../events/poll.js', '../ion-step.js', 'undici'],
  ],
  [
    'nodes/runs/other.ts',
    ['../shared/message.js', '../client/lists/rows.js'],
    ['../events/poll.js', '../ion-runs.js', 'undici'],
  ],
  [
    'nodes/outbox/other.ts',
    ['../client/errors.js', '../client/steps/step-writer.js', '../storage/folder.js'],
    [
      '../shared/message.js',
      '../config/config-node.js',
      '../lookup/lookups.js',
      '../ion-step.js',
      'node-red',
      'undici',
    ],
  ],
  [
    'nodes/outbox/store/other.ts',
    ['../../client/errors.js', '../../storage/folder.js', './entries.js'],
    ['../delivery.js', '../../lookup/lookups.js', '../../shared/message.js', 'node-red', 'undici'],
  ],
  [
    'nodes/lookup/other.ts',
    ['../client/errors.js', '../client/work/work.js', '../storage/folder.js', './keys.js'],
    [
      '../outbox/outbox.js',
      '../shared/message.js',
      '../config/config-node.js',
      'node-red',
      'undici',
    ],
  ],
  [
    'nodes/storage/other.ts',
    ['../client/errors.js', '../client/support/json.js', './owner.js'],
    [
      '../outbox/outbox.js',
      '../lookup/lookups.js',
      '../shared/message.js',
      'node-red',
      'oauth4webapi',
      'undici',
    ],
  ],
  [
    'nodes/monitoring/other.ts',
    ['../client/errors.js', '../client/operation-outcomes.js', './histogram.js'],
    [
      '../outbox/outbox.js',
      '../config/config-node.js',
      '../shared/message.js',
      'node-red',
      'oauth4webapi',
      'undici',
    ],
  ],
  [
    'nodes/client/other.ts',
    ['./errors.js', './http/transport.js', './support/json.js'],
    ['../shared/message.js', '../outbox/outbox.js', 'node-red', '@node-red/util', 'undici'],
  ],
  [
    'nodes/client/support/other.ts',
    ['../errors.js', './json.js'],
    ['../client.js', '../http/transport.js', '../../shared/message.js', 'undici', 'node-red'],
  ],
  [
    'nodes/client/failures/other.ts',
    ['../errors.js', '../support/json.js'],
    ['../http/transport.js', '../client.js', 'undici'],
  ],
  [
    'nodes/client/http/other.ts',
    ['undici', '../errors.js', '../support/json.js'],
    ['../auth/environments.js', '../graphql/operation.js', '../client.js', 'oauth4webapi'],
  ],
  [
    'nodes/client/auth/other.ts',
    ['oauth4webapi', '../http/transport.js', '../failures/classify-failure.js'],
    ['undici', '../graphql/operation.js', '../client.js', '../../outbox/outbox.js'],
  ],
  [
    'nodes/client/graphql/other.ts',
    ['graphql', '../http/transport.js', '../auth/redaction.js'],
    ['../paging/paginator.js', '../lists/rows.js', '../client.js', 'undici'],
  ],
  [
    'nodes/client/paging/other.ts',
    ['../client.js', '../graphql/operation.js'],
    ['../lists/rows.js', '../steps/run-steps.js', 'undici'],
  ],
  [
    'nodes/client/batching/other.ts',
    ['../client.js', '../graphql/operation.js', '../paging/document-limits.js'],
    ['../lists/rows.js', '../steps/run-steps.js', '../http/transport.js', 'undici'],
  ],
  [
    'nodes/client/lists/other.ts',
    ['../client.js', '../paging/paginator.js', '../graphql/operation.js'],
    ['../steps/run-steps.js', '../webhooks/event.js', 'undici'],
  ],
  [
    'nodes/client/steps/other.ts',
    ['../client.js', '../graphql/operation.js', '../failures/classify-failure.js'],
    ['../lists/rows.js', '../webhooks/event.js', 'undici'],
  ],
  [
    'nodes/client/work/other.ts',
    ['../client.js', '../graphql/operation.js', '../support/known-columns.js', './work.js'],
    ['../steps/run-steps.js', '../lists/rows.js', '../../shared/message.js', 'undici'],
  ],
  [
    'nodes/client/webhooks/other.ts',
    ['../client.js', '../lists/rows.js', '../auth/redaction.js'],
    ['../auth/access-tokens.js', '../steps/run-steps.js', '../../events/poll.js', 'undici'],
  ],
  [
    'nodes/editor/ion-other.ts',
    [
      './shared/labels.js',
      '../client/settings.js',
      '../client/lists/resources.js',
      '../migrations/ion-step.js',
      '../shared/filter-row.js',
    ],
    ['../client/client.js', '../client/lists/rows.js', '../shared/message.js', 'node:fs', 'undici'],
  ],
  [
    'nodes/editor/config/other.ts',
    [
      '../shared/labels.js',
      '../../client/settings.js',
      '../../client/auth/environments.js',
      '../../migrations/migrate.js',
    ],
    ['../../client/auth/access-tokens.js', '../../config/config-node.js', 'node:path', 'node-red'],
  ],
  [
    'sandbox/graphql/other.ts',
    ['../data/store.js', './filters.js', 'graphql-yoga'],
    ['../../nodes/client/errors.js', '../../tools/package.js', '../../test/support/until.js'],
  ],
  [
    'sandbox/other.ts',
    ['./data/store.js'],
    ['../nodes/client/support/json.js', '../demo/start.js'],
  ],
  [
    'tools/other.ts',
    ['./package.js', '../sandbox/server.js'],
    ['../nodes/client/errors.js', '../test/support/until.js', '../demo/start.js'],
  ],
];

describe('lint holds the direction of imports', () => {
  const folder = useTemporaryFolder();
  const files = new Map<string, string>();
  const paths = walls.map(([path, allowed, refused]) => {
    const named = (kind: string, names: readonly string[]) =>
      names.map((name, at) => {
        const file = path.replace(/other/, `${kind}-${at}`);
        files.set(file, name);
        return { file, name };
      });
    return { path, allowed: named('allowed', allowed), refused: named('refused', refused) };
  });
  let found: Set<string>;

  before(async () => {
    found = await refusedImports(folder.path, files);
  });

  for (const { path, allowed, refused } of paths) {
    it(`in ${dirname(path)}`, () => {
      const names = (list: { file: string; name: string }[], isRefused: boolean) =>
        list.filter(({ file }) => found.has(file) === isRefused).map(({ name }) => name);
      assert.deepEqual(names(allowed, true), []);
      assert.deepEqual(names(refused, false), []);
    });
  }
});
