/** Prepares the boxes for the actions. `read` returns the ticked ones. */
export function actionChoice(stored: readonly string[]): { read(): string[] } {
  const boxes = $('#ion-events-actions input');
  boxes.each((_index, box) => void $(box).prop('checked', stored.includes(String($(box).val()))));
  return {
    read() {
      const all = boxes.toArray().map((box) => String($(box).val()));
      const ticked = boxes
        .filter(':checked')
        .toArray()
        .map((box) => String($(box).val()));
      // The stored order is kept, and so are stored actions without a box.
      const kept = stored.filter((action) => ticked.includes(action) || !all.includes(action));
      return [...new Set([...kept, ...ticked])];
    },
  };
}
