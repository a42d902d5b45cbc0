const DAY_MS = 24 * 60 * 60 * 1000;

/** Hours and minutes of this machine, with the date where it was not today. */
export function timeOfDay(ms: number): string {
  const date = new Date(ms);
  const two = (number: number) => String(number).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (Date.now() - ms < DAY_MS) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}
