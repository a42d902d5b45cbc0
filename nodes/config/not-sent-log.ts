import type { Node, NodeAPI } from 'node-red';
import { quote } from '../client/errors.js';
import type { NotSentListener } from '../client/graphql/dry-run-api.js';
import { mutationsOf } from '../client/graphql/ion-schema.js';
import { shownValue } from '../outbox/shown-value.js';

const NOT_SENT = '@ion-nodes/node-red-ion/ion-config:ion-config.log.notSent';
const NOT_CHECKED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.notChecked';

/** Logs each mutation that a dry run does not send, with short values and without secrets. */
export function notSentLog(RED: NodeAPI, node: Node): NotSentListener {
  return ({ query, variables, unchecked }, operation) => {
    const mutations = mutationsOf(operation).join(', ');
    // Without variables, the values are in the text.
    const values = variables ? shownValue(variables) : quote(query);
    node.log(RED._(unchecked ? NOT_CHECKED : NOT_SENT, { mutations: quote(mutations), values }));
  };
}
