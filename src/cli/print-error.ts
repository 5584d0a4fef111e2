/** The CLI's edge for failures: one line, an exit code from the table, never a stack. */

import { CommanderError } from 'commander';
import type { Problem } from '../contract/rest/routes.ts';
import { AppError, type ErrorCode, errorTable, messageOf } from '../kernel/errors.ts';
import { isJsonObject } from '../kernel/json-rpc.ts';
import type { CliContext } from './context.ts';
import { plainText } from './output.ts';

/** A failure that the coordinator answered, with its own words. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

function exitOf(code: string): number {
  return Object.hasOwn(errorTable, code) ? errorTable[code as ErrorCode].exit : 1;
}

/** What the system says of a file or a port is no fault of ours: it gets a code and advice. */
function fromSystem(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, syscall, path, port } = error as NodeJS.ErrnoException & { port?: unknown };
  if (syscall === 'listen' && code === 'EACCES') {
    const problem = `${String(port)} may not be opened by this user; choose one above 1023`;
    return new AppError('INVALID_INPUT', { field: '--port', problem }, { cause: error });
  }
  if (syscall === 'listen' && code === 'EADDRNOTAVAIL') {
    const data = { field: '--host', problem: 'is no address of this machine; use 127.0.0.1' };
    return new AppError('INVALID_INPUT', data, { cause: error });
  }
  if (code === undefined || path === undefined) return error;
  if (code === 'ENOSPC') return new AppError('DISK_FULL', { path }, { cause: error });
  return new AppError('STORAGE_FAILED', { path, problem: error.message }, { cause: error });
}

/** Anything thrown as problem details; what is not ours is INTERNAL, with its message but without its stack. */
export function toCliProblem(thrown: unknown): Problem {
  const error = fromSystem(thrown);
  if (error instanceof ProblemError) return error.problem;
  const known =
    error instanceof AppError && error.code !== 'INTERNAL'
      ? error
      : new AppError('INTERNAL', {}, { cause: error });
  const detail =
    known.code === 'INTERNAL'
      ? messageOf(error instanceof AppError ? (error.cause ?? error) : error)
      : known.message;
  const { code, id, data } = known;
  return {
    type: 'about:blank',
    title: code,
    status: errorTable[code].http,
    detail,
    code,
    id,
    data,
  };
}

/** Each mistake of a config that has several; the error's own sentence tells the first only. */
function mistakes({ code, data }: Problem): string[] {
  const issues: unknown = code === 'CONFIG_INVALID' ? data?.['issues'] : undefined;
  if (!Array.isArray(issues) || issues.length < 2) return [];
  return issues.filter(isJsonObject).map(({ origin, line, problem }) => {
    const place = typeof line === 'number' ? `:${line}` : '';
    return `${String(origin)}${place}: ${String(problem)}`;
  });
}

/** Prints a failure and returns the exit code it stands for. */
export function printError(context: CliContext, error: unknown, isJson: boolean): number {
  if (error instanceof CommanderError) return commanderExit(context, error, isJson);
  const problem = toCliProblem(error);
  context.stderr.write(`error ${problem.code}: ${plainText(problem.detail)}\n`);
  for (const line of mistakes(problem)) context.stderr.write(`  ${plainText(line)}\n`);
  if (isJson) context.stdout.write(`${JSON.stringify(problem)}\n`);
  return exitOf(problem.code);
}

/** Commander ends help and version by throwing too; only its complaints about arguments are failures. */
function commanderExit(context: CliContext, error: CommanderError, isJson: boolean): number {
  if (error.exitCode === 0) return 0;
  // Without a verb commander shows the help and calls that an error.
  if (error.code === 'commander.help') return errorTable.INVALID_INPUT.exit;
  const problem = error.message.replace(/^error: /, '').replaceAll(/\s+/g, ' ');
  return printError(context, new AppError('INVALID_REQUEST', { problem }), isJson);
}
