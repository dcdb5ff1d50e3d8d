import { pino } from 'pino';

/** What the apps log with. One line of JSON an event; never the text of a transcript, a title or a file name. */
export type Logger = pino.Logger;

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  level: LogLevel;
  /** The program: "api", "worker", or the name of a model process. */
  name: string;
  /** Where the lines go; standard output unless given. */
  destination?: { write(line: string): void };
}

/** A pino logger with ISO times and level names, so that the lines can be read without a table. */
export function createLogger({ level, name, destination }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    name,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.errWithCause },
  };
  return destination ? pino(options, destination) : pino(options);
}
