import type { Sandbox } from '../sandbox/server.js';

/** One entry of a flow file. */
export type FlowNode = { id: string; type: string; [property: string]: unknown };

/** A config node that leads to the sandbox. */
export function sandboxConfig(sandbox: Sandbox, properties: object = {}): FlowNode {
  return {
    id: 'config',
    type: 'ion-config',
    environment: 'custom',
    apiUrl: sandbox.url,
    authUrl: sandbox.authUrl,
    ...properties,
  };
}

export const graphqlNode: FlowNode = {
  id: 'node',
  type: 'ion-graphql',
  name: '',
  config: 'config',
  query: '{ me { id name } }',
  queryType: 'graphql',
  variables: 'variables',
  variablesType: 'msg',
  operationName: '',
  pages: 'one',
  pageSize: 100,
  limit: 0,
  output: 'payload',
};

export const runsNode: FlowNode = {
  id: 'node',
  type: 'ion-runs',
  name: '',
  config: 'config',
  filters: [],
  fields: ['id', 'title', 'status', 'steps.id', 'steps.title', 'steps.status'],
  sort: [],
  mode: 'array',
  pageSize: 100,
  limit: 0,
  changes: false,
  changesFrom: 'beginning',
  output: 'payload',
};

export const stepNode: FlowNode = {
  id: 'node',
  type: 'ion-step',
  name: '',
  config: 'config',
  action: 'field',
  run: 'run',
  runType: 'msg',
  step: 'step',
  stepType: 'msg',
  field: 'field',
  fieldType: 'msg',
  value: 'payload',
  valueType: 'msg',
  filename: 'filename',
  filenameType: 'msg',
  onConflict: 'retry',
  delivery: 'direct',
  keep: 'all',
  output: 'payload',
  startStep: false,
  outputs: 1,
};

export const lookupNode: FlowNode = {
  id: 'node',
  type: 'ion-lookup',
  name: '',
  config: 'config',
  by: 'barcode',
  value: 'payload',
  valueType: 'msg',
  part: '',
  partType: 'str',
  step: '',
  stepType: 'str',
  fields: true,
  remember: 24,
  output: 'work',
  version: 1,
};

export const eventsNode: FlowNode = {
  id: 'node',
  type: 'ion-events',
  name: '',
  config: 'config',
  via: 'poll',
  resource: 'RUN_STEPS',
  actions: ['CREATE', 'UPDATE'],
  filters: [],
  fields: [],
  changedFields: [],
  interval: 10,
  path: '',
  signatureHeader: 'x-ion-signature',
  expectedResponseCode: 200,
  verify: true,
  register: false,
  publicUrl: '',
};
