/** The CLI's edge for failures: one line, an exit code from the table, never a stack. */

import { CommanderError } from 'commander';
import type { Problem } from '../contract/rest.ts';
import { AppError, type ErrorCode, errorTable, messageOf } from '../kernel/errors.ts';
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

/** Anything thrown as problem details; what is not ours is INTERNAL, with its message but without its stack. */
export function toCliProblem(error: unknown): Problem {
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

/** Prints a failure and returns the exit code it stands for. */
export function printError(context: CliContext, error: unknown, isJson: boolean): number {
  if (error instanceof CommanderError) return commanderExit(context, error, isJson);
  const problem = toCliProblem(error);
  context.stderr.write(`error ${problem.code}: ${plainText(problem.detail)}\n`);
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
