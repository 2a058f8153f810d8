/**
 * Structured logs: one line a record, as JSON for machines or as text for a terminal. Prompts, answers and keys never
 * enter a record.
 */

export type LogLevel = "info" | "warn" | "error";

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Takes one record. Fields that are undefined are left out. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

export const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/**
 * @param write takes one line, its newline included.
 * @param now the clock, injectable for tests.
 */
export function createLog(
  format: LogFormat,
  write: (line: string) => void,
  now: () => Date = () => new Date(),
): Log {
  return (level, message, fields = {}) => {
    const time = now().toISOString();
    if (format === "json") {
      write(`${JSON.stringify({ time, level, message, ...fields })}\n`);
      return;
    }
    const pairs = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}=${typeof value === "string" ? quoteIfNeeded(value) : value}`);
    write(`${time} ${level} ${message}${pairs.join("")}\n`);
  };
}

/** A value with spaces, quotes or control characters is quoted, so that no value can forge a second record. */
function quoteIfNeeded(value: string): string {
  return /^[\x21\x23-\x7e]+$/.test(value) ? value : JSON.stringify(value);
}

/** For an app that is mounted without a log. */
export const SILENT_LOG: Log = () => {};
