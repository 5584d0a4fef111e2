/** Runs a program of the operating system that lists things: no shell, bounded in time and output. */

import { execFile } from 'node:child_process';
import { AppError } from '../../../kernel/errors.ts';
import { ToolError } from '../../../kernel/define-server.ts';

const timeoutMs = 10_000;
const maxBytes = 10_000_000;

/** Standard output of a program; ToolError when it is missing, fails or takes longer than 10 seconds. */
export function runProgram(file: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const env = { PATH: process.env['PATH'], SystemRoot: process.env['SystemRoot'], LC_ALL: 'C' };
  execFile(
    file,
    args,
    { env, signal, timeout: timeoutMs, maxBuffer: maxBytes, windowsHide: true },
    (error, stdout) => {
      if (!error) resolve(stdout);
      else if (signal.aborted) reject(new AppError('REQUEST_CANCELLED'));
      else
        reject(
          new ToolError(`${file} did not answer on this machine: ${error.code ?? 'timeout'}`, {
            cause: error,
          }),
        );
    },
  );
  return promise;
}
