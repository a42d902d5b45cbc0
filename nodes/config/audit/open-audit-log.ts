import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { reasonOf } from '../../client/errors.js';
import { requireSwitch } from '../../shared/property-checks.js';
import { nameOfId } from '../../storage/folder.js';
import type { ConfigValues } from '../client-settings.js';
import { AuditFile } from './audit-file.js';
import { AuditLog } from './audit-log.js';

/** The folder in Node-RED's user folder. */
const FOLDER = 'ion-audit';
const NOT_WRITTEN = '@ion-nodes/node-red-ion/ion-config:ion-config.log.auditNotWritten';

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
      file.append(lines);
    },
    onFailure: (thrown) => node.warn(RED._(NOT_WRITTEN, { reason: reasonOf(thrown) })),
    placeOf(id) {
      const found = RED.nodes.getNode(id) as Node | null;
      return { type: found?.type, flow: found?.z };
    },
  });
}
