/** A home folder and a stand-in for the coordinator, for all tests of a file: made before them, gone after them. */

import { afterAll, beforeAll, beforeEach } from 'vitest';
import { startCoordinatorDouble } from './coordinator-double.ts';
import type { RestDouble } from './rest-double.ts';
import { type CommandOptions, type CommandResult, createSandbox, type Sandbox } from './run-command.ts';

export interface CommandLine {
  readonly sandbox: Sandbox;
  /** What it has seen is forgotten before each test. */
  readonly double: RestDouble;
  /** Runs the command line, which finds the stand-in by its environment. */
  run(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

/** Call it outside of the tests; its parts are there while they run. */
export function useCommandLine(
  start: () => Promise<RestDouble> = () => startCoordinatorDouble(),
): CommandLine {
  let sandbox: Sandbox | undefined;
  let double: RestDouble | undefined;
  const there = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('only inside of a test');
    return part;
  };

  beforeAll(async () => {
    sandbox = await createSandbox();
    double = await start();
  });
  afterAll(async () => {
    await double?.[Symbol.asyncDispose]();
    await sandbox?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    there(double).seen.length = 0;
  });

  return {
    get sandbox() {
      return there(sandbox);
    },
    get double() {
      return there(double);
    },
    run: (args, options = {}) =>
      there(sandbox).run(args, {
        ...options,
        env: { GIT_MEMORY_MCP_URL: there(double).url, ...options.env },
      }),
  };
}
