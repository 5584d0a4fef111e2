/** Runs one command line: parse, run the verb, answer with an exit code. */

import { createContext } from './context.ts';
import { printError } from './print-error.ts';
import { createProgram } from './program.ts';

/** After the verb is done, what still keeps the process alive gets so long. */
const lingerMs = 2000;

/** Runs the arguments of a process and sets its exit code. */
export async function runCli(host: NodeJS.Process): Promise<void> {
  const context = createContext(host);
  // A reader that has seen enough (`| head`) is no failure, and no reason to leave clients alone.
  context.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!context.outlivesReaders) host.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  // Nobody is left to tell.
  context.stderr.on('error', () => {});
  const args = host.argv.slice(2);
  try {
    await createProgram(context).parseAsync(args, { from: 'user' });
    host.exitCode = context.exitCode;
  } catch (error) {
    host.exitCode = printError(context, error, isJsonWanted(args));
  }
  setTimeout(() => host.exit(), lingerMs).unref();
}

function isJsonWanted(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).includes('--json');
}
