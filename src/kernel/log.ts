/** Structured logs through pino, with secrets redacted by field name before anything is written. */

import { type DestinationStream, destination, pino } from 'pino';

export interface Logger {
  debug(data: object, message: string): void;
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
  /** A logger that adds the given fields to every line. */
  child(fields: object): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const secretFields = ['authorization', 'password', 'token', 'secret', 'apiKey', 'cookie', 'headers', 'env'];

/** A logger that writes one JSON object a line to standard error, or to `stream` when given. */
export function createLogger(options: {
  level: LogLevel;
  stream?: DestinationStream;
  /** Changes each line before it is written. */
  redact?: (line: string) => string;
}): Logger {
  const { stream = destination({ dest: 2, sync: true }), redact } = options;
  const paths = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths, censor: '[redacted]' },
    },
    redact ? { write: (line) => stream.write(redact(line)) } : stream,
  );
}

/** A logger that drops everything, for tests and for embedding. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
