import { openInput } from '../shared/open-node.js';

interface Credentials {
  has_secret?: boolean;
  _?: Credentials;
}

/** The server omits `has_secret` for a node that never had one; set it, or the editor sees a change. */
export function initHasSecret(node: EditedNode): void {
  const credentials = node.credentials as Credentials | undefined;
  for (const each of [credentials, credentials?._]) if (each) each.has_secret ??= false;
}

/** Prepares the button that generates a secret. It is shown once: a stored one never comes back. */
export function prepareSecret(node: Texts): void {
  const shown = $('#ion-events-secret-shown');
  const copied = $('#ion-events-secret-copied');
  $('#ion-events-make-secret').on('click', () => {
    const secret = newSecret();
    shown.val(secret);
    copied.text('');
    $('#node-input-secret').val(secret).trigger('change');
    $('.ion-events-new-secret').show();
    RED.tray.resize();
    shown.trigger('focus').trigger('select');
  });
  $('#ion-events-copy-secret').on('click', () => {
    const isCopied = RED.clipboard.copyText(String(shown.val()));
    copied.text(isCopied ? node._('ion-events.secret.copied') : '');
  });
}

/**
 * Whether the node has no secret, as far as the editor knows: the server reports a stored secret only
 * when a dialog opens.
 */
export function lacksSecret(node: EditedNode): boolean {
  const input = openInput(node, 'secret');
  if (input) return String(input.val() ?? '') === '';
  const credentials = node.credentials as Credentials | undefined;
  return credentials?.has_secret === false;
}

function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
