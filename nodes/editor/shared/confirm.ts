export interface Question {
  text: string;
  /** The label of the button that agrees. */
  yes: string;
}

/** Asks the user in a modal notification. Resolves with `true` if the user agrees. */
export function confirm({ text, yes }: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const closeWith = (isYes: boolean) => () => {
      notification.close();
      resolve(isYes);
    };
    const notification = RED.notify($('<p>').text(text), {
      type: 'warning',
      modal: true,
      fixed: true,
      buttons: [
        { text: RED._('editor:common.label.cancel'), click: closeWith(false) },
        { text: yes, class: 'primary', click: closeWith(true) },
      ],
    });
  });
}
