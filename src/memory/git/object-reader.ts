/** Reads objects through one long-lived `git cat-file --batch`; it notices new packs by itself. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { AppError } from '../../kernel/errors.ts';
import { type Git, toGitError } from './run-git.ts';

export interface GitObject {
  readonly id: string;
  readonly type: string;
  readonly content: Buffer;
}

export interface ObjectReader extends AsyncDisposable {
  /**
   * The object that a name stands for (an id, `<commit>^{commit}`, `<commit>:<path>`), `ambiguous` for an
   * id prefix of several, or undefined. Requests are pipelined. Throws GIT_FAILED, GIT_MISSING.
   */
  read(name: string): Promise<GitObject | 'ambiguous' | undefined>;
  /** Ends the process until the next read, so that packs can be folded (Windows keeps open files). */
  rest(): Promise<void>;
}

interface Waiting {
  resolve(object: GitObject | 'ambiguous' | undefined): void;
  reject(error: AppError): void;
}

interface Session {
  readonly child: ChildProcessWithoutNullStreams;
  readonly waiting: Waiting[];
  readonly ended: Promise<void>;
}

/** A reader on the repository of `git`; the process starts with the first read. */
export function createObjectReader(git: Git): ObjectReader {
  let session: Session | undefined;
  let closed = false;

  function startSession(): Session {
    const args = ['cat-file', '--batch'];
    const child = git.start(args);
    const waiting: Waiting[] = [];
    const fail = (error: AppError) => {
      if (session?.child === child) session = undefined;
      for (const one of waiting.splice(0)) one.reject(error);
    };
    const parse = createParser((object) => waiting.shift()?.resolve(object));
    child.stdout.on('data', parse);
    child.stdin.on('error', () => {});
    child.stderr.resume();
    const ended = new Promise<void>((resolve) => {
      child.on('error', (error) => {
        fail(toGitError(error, args));
        resolve();
      });
      child.on('close', () => {
        fail(new AppError('GIT_FAILED', { command: 'cat-file', problem: 'ended early' }));
        resolve();
      });
    });
    return { child, waiting, ended };
  }

  async function rest(): Promise<void> {
    const old = session;
    session = undefined;
    if (!old) return;
    old.child.stdin.end();
    await old.ended;
  }

  return {
    read(name) {
      if (closed) return Promise.reject(new AppError('SHUTTING_DOWN'));
      if (/[\n\0]/.test(name)) return Promise.resolve(undefined);
      session ??= startSession();
      const { child, waiting } = session;
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${name}\n`);
      });
    },
    rest,
    async [Symbol.asyncDispose]() {
      closed = true;
      await rest();
    },
  };
}

/** Splits `<id> <type> <size>\n<content>\n` and `<name> missing\n` answers out of the stream. */
function createParser(onObject: (object: GitObject | 'ambiguous' | undefined) => void) {
  let chunks: Buffer[] = [];
  let have = 0;
  let need = 0;
  return (chunk: Buffer) => {
    chunks.push(chunk);
    have += chunk.length;
    if (have < need) return;
    let bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    need = 0;
    for (;;) {
      const lineEnd = bytes.indexOf(10);
      if (lineEnd < 0) break;
      const line = bytes.toString('utf8', 0, lineEnd);
      const [, id, type, size] = /^([0-9a-f]{40}) (\w+) (\d+)$/.exec(line) ?? [];
      if (id === undefined || type === undefined) {
        onObject(line.endsWith(' ambiguous') ? 'ambiguous' : undefined);
        bytes = bytes.subarray(lineEnd + 1);
        continue;
      }
      const end = lineEnd + 1 + Number(size);
      if (bytes.length < end + 1) {
        need = end + 1;
        break;
      }
      onObject({ id, type, content: Buffer.from(bytes.subarray(lineEnd + 1, end)) });
      bytes = bytes.subarray(end + 1);
    }
    chunks = bytes.length > 0 ? [bytes] : [];
    have = bytes.length;
  };
}
