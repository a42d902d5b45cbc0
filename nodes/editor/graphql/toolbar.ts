/** The part of a query editor that the buttons need. */
interface FormattedEditor {
  format(): Promise<void>;
}

interface Buttons {
  format: JQuery;
  refresh: JQuery;
}

/** Prepares the buttons above a query editor, those of the dialog by default. */
export function prepareToolbar(
  editor: FormattedEditor,
  useSchema: (options: { refresh: boolean }) => void,
  { format, refresh }: Buttons = {
    format: $('#ion-graphql-format'),
    refresh: $('#ion-graphql-refresh'),
  },
): void {
  // A text with syntax errors stays unchanged: the editor underlines them.
  format.on('click', () => void editor.format().catch(() => {}));
  refresh.on('click', () => useSchema({ refresh: true }));
}
