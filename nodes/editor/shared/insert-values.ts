type Values = Record<string, string | number>;

/** A text with its values in place of `__name__`. */
export function insertValues(text: string | undefined, values: Values = {}): string {
  return (text ?? '').replace(/__(\w+?)__/g, (whole, name: string) => {
    const value = values[name] ?? whole;
    return typeof value === 'number' ? value.toLocaleString(RED.i18n.lang()) : value;
  });
}
