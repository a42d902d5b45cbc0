import { HEADERS, QUERY, REQUEST } from './request.js';

const place = { z: 'flow', x: 0, y: 0 };

/** The nodes to compare: this package's node and its peers. */
export type Target = 'ion-graphql' | 'minimal node' | 'http request';

/** The message that each target needs; like that of every trigger, it has a payload. */
export const messages: Record<Target, object> = {
  'ion-graphql': { payload: '', variables: REQUEST.variables },
  'minimal node': { payload: REQUEST, headers: HEADERS },
  'http request': { payload: REQUEST, headers: HEADERS },
};

/** A flow in which each target has a `bench-source` of its name. */
export function targetsFlow(server: string, config: object = {}): object[] {
  const nodes = {
    'ion-graphql': graphqlNode(QUERY, 'one'),
    'minimal node': { type: 'bench-minimal', url: server, connections: 50 },
    'http request': {
      type: 'http request',
      method: 'POST',
      ret: 'obj',
      paytoqs: 'ignore',
      url: `${server}/graphql`,
      headers: [],
    },
  };
  return [
    ...ionConfig(server, config),
    ...Object.entries(nodes).flatMap(([target, node]) => measured(target, node)),
  ];
}

export function ionConfig(server: string, config: object = {}): object[] {
  return [
    { id: 'flow', type: 'tab', label: 'bench' },
    {
      id: 'config',
      type: 'ion-config',
      environment: 'custom',
      apiUrl: server,
      authUrl: server,
      concurrency: 50,
      ...config,
    },
  ];
}

export function graphqlNode(
  query: string,
  pages: 'one' | 'stream',
  pageSize: number | 'auto' = 100,
): object {
  return {
    type: 'ion-graphql',
    config: 'config',
    query,
    queryType: 'graphql',
    variables: 'variables',
    variablesType: 'msg',
    pages,
    pageSize,
    limit: 0,
    output: 'payload',
  };
}

/** A node with a wire from a `bench-source` and back to it. */
export function measured(source: string, node: object): object[] {
  return [
    { id: source, type: 'bench-source', wires: [[`${source} node`]], ...place },
    { ...node, id: `${source} node`, wires: [[source]], ...place },
    {
      id: `${source} catch`,
      type: 'catch',
      scope: [`${source} node`],
      wires: [[source]],
      ...place,
    },
  ];
}
