import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { reasonOf } from '../../client/errors.js';
import { requireSwitch } from '../../shared/property-checks.js';
import { nameOfId } from '../../storage/folder.js';
import type { ConfigValues } from '../client-settings.js';
import { AuditFile } from './audit-file.js';
import { type AuditFailure, AuditLog } from './audit-log.js';

/** The folder in Node-RED's user folder. */
const FOLDER = 'ion-audit';
const TEXTS: Record<AuditFailure, string> = {
  notWritten: '@ion-nodes/node-red-ion/ion-config:ion-config.log.auditNotWritten',
  notRenamed: '@ion-nodes/node-red-ion/ion-config:ion-config.log.auditNotRenamed',
};

/**
 * The log of the writes of a config node, if it keeps one. It outlives the node.
 * @throws IonError `ION_CONFIG`
 */
export function openAuditLog(
  RED: NodeAPI,
  node: Node,
  { audit }: ConfigValues,
): AuditLog | undefined {
  if (!requireSwitch('ion-config', 'audit', audit, false)) return undefined;
  let file: AuditFile | undefined;
  const path = () => {
    const { userDir } = RED.settings;
    if (!userDir) throw new Error('Node-RED has no user folder.');
    return join(userDir, FOLDER, `${nameOfId(node.id)}.jsonl`);
  };
  return new AuditLog({
    append(lines) {
      file ??= new AuditFile(path());
      return file.append(lines);
    },
    onFailure: (failure, thrown) => node.warn(RED._(TEXTS[failure], { reason: reasonOf(thrown) })),
    placeOf(id) {
      const found = RED.nodes.getNode(id) as Node | null;
      return { type: found?.type, flow: found?.z };
    },
  });
}
