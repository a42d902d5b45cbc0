interface Credentials {
  has_secret?: boolean;
  _?: Credentials;
}

/** Of a node that never had one the server says nothing, which the editor takes for a change. */
export function settleSecret(node: EditedNode): void {
  const credentials = node.credentials as Credentials | undefined;
  for (const each of [credentials, credentials?._]) if (each) each.has_secret ??= false;
}

/** The button that makes a secret, and shows it once: the editor never gets a stored one back. */
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

function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
