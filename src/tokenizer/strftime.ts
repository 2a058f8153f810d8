/**
 * Dates for chat templates: the directives of Python's strftime (C locale) that templates use.
 * Source: Python's time.strftime table; transformers gives templates strftime_now the same way.
 */
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const DIRECTIVES: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getFullYear()).padStart(4, "0"),
  y: (date) => twoDigits(date.getFullYear() % 100),
  m: (date) => twoDigits(date.getMonth() + 1),
  d: (date) => twoDigits(date.getDate()),
  H: (date) => twoDigits(date.getHours()),
  I: (date) => twoDigits(date.getHours() % 12 === 0 ? 12 : date.getHours() % 12),
  M: (date) => twoDigits(date.getMinutes()),
  S: (date) => twoDigits(date.getSeconds()),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  B: (date) => MONTHS[date.getMonth()] ?? "",
  b: (date) => (MONTHS[date.getMonth()] ?? "").slice(0, 3),
  A: (date) => DAYS[date.getDay()] ?? "",
  a: (date) => (DAYS[date.getDay()] ?? "").slice(0, 3),
  "%": () => "%",
};

/** @throws Error for a directive outside the table; the template's caller wraps it. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(.|$)/gsu, (directive, letter: string) => {
    const write = DIRECTIVES[letter];
    if (write === undefined || !Object.hasOwn(DIRECTIVES, letter)) {
      throw new Error(`strftime_now does not know the directive ${JSON.stringify(directive)}`);
    }
    return write(date);
  });
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
