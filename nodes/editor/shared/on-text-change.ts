/** Calls a listener when the text of an input changes, also when it is completed by Tab. */
export function onTextChange(input: JQuery, listener: () => void): void {
  const text = () => String(input.val() ?? '').trim();
  let last = text();
  // Completion by Tab sets the text without an event, so `blur` is needed as well.
  input.on('change keyup blur', () => {
    if (text() === last) return;
    last = text();
    listener();
  });
}
