const DAY_MS = 24 * 60 * 60 * 1000;

/** The local hours and minutes, with the date if it is more than a day ago. */
export function timeOfDay(ms: number): string {
  const date = new Date(ms);
  const two = (number: number) => String(number).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (Date.now() - ms < DAY_MS) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}
