import type { Node, NodeAPI } from 'node-red';
import { IonError } from '../client/errors.js';
import type { TlsOptions } from '../client/http/dispatchers.js';
import { unusableTls } from '../client/http/secure-context.js';
import { requireResolved } from '../shared/environment-references.js';

interface TlsConfigNode extends Node {
  /** False if a file cannot be read, or a certificate has no key. */
  valid?: boolean;
  addTLSOptions(options: TlsOptions): TlsOptions;
}

/**
 * The options of a `tls-config` node.
 * @throws IonError `ION_CONFIG` if it cannot be used: without it, certificates would be trusted that the
 * user did not choose
 */
export function tlsOptions(RED: NodeAPI, id: string): TlsOptions {
  const node = RED.nodes.getNode(id) as TlsConfigNode | null;
  if (typeof node?.addTLSOptions !== 'function') {
    throw new IonError(
      'ION_CONFIG',
      'The TLS configuration that the ION config node uses does not exist or is disabled. Select it again.',
    );
  }
  if (node.valid === false) {
    throw unusableTls(
      "one of its files cannot be read (Node-RED's log names it), or its certificate has no private key",
    );
  }
  const options = node.addTLSOptions({});
  requireResolved('The passphrase of the TLS configuration', options.passphrase);
  requireResolved('The server name of the TLS configuration', options.servername);
  return options;
}
