/** Git whose output is read as it comes, for what may be large. */

import { AppError } from '../../kernel/errors.ts';
import { type Git, toGitError } from './run-git.ts';

/**
 * Streams the standard output of a command; it is ended when the reader stops early. Throws GIT_FAILED, after the
 * output, when the command ends with an error.
 */
export async function* streamGit(git: Git, args: readonly string[], input?: string): AsyncGenerator<Buffer> {
  const child = git.start(args);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  const exit = new Promise<number>((resolve, reject) => {
    child.on('error', (error) => reject(toGitError(error, args)));
    child.on('close', (code) => resolve(code ?? 255));
  });
  exit.catch(() => {});
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const code = await exit;
    if (code === 0) return;
    throw new AppError('GIT_FAILED', { command: args[0], problem: errors.trim() || `exit code ${code}` });
  } finally {
    child.kill();
  }
}

/** The texts between NULs; bytes that are no UTF-8 become U+FFFD. */
export async function* splitAtNul(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
      yield bytes.toString('utf8', start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
  if (rest.length > 0) yield rest.toString('utf8');
}
