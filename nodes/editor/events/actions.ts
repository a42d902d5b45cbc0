/** The boxes for the actions, whose values are a list. */
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
      // In the order that was stored, with what no box stands for.
      const kept = stored.filter((action) => ticked.includes(action) || !all.includes(action));
      return [...new Set([...kept, ...ticked])];
    },
  };
}
