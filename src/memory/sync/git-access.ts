/**
 * The repository as Git clients see it: clone and fetch through Git's own upload-pack, push through ours. A
 * transport (HTTP) brings the bytes.
 */

import { type Readable, addAbortSignal } from 'node:stream';
import { AppError } from '../../kernel/errors.ts';
import { createConcurrencyLimit } from '../../kernel/concurrency-limit.ts';
import type { Logger } from '../../kernel/log.ts';
import { type BoundedChild, startBounded } from '../git/bounded-git.ts';
import { type Git, createGit } from '../git/run-git.ts';
import type { RefAnswer } from './push-report.ts';
import { advertiseForPush, createPushReceiver } from './receive-push.ts';
import type { Take } from './take.ts';
import type { MayChange, PushLimits } from './validate-push.ts';

/** What stock Git asks for, by its own names. */
export type GitService = 'git-upload-pack' | 'git-receive-pack';

/** One request of a Git client. */
export interface GitRequest {
  /** The value of the header Git-Protocol, as sent. */
  readonly protocol?: string | undefined;
  /** Aborted when the client goes away; what runs for it ends then. */
  readonly signal: AbortSignal;
  /** Hears what became of each ref of a push. */
  readonly onPushed?: ((refs: readonly RefAnswer[]) => void) | undefined;
  /** Of a push: which memories it may change; all of them when absent. */
  readonly mayChange?: MayChange | undefined;
}

export interface GitAccess extends AsyncDisposable {
  /**
   * The refs of the repository, everything acknowledged so far included. Throws what kept a write from its
   * commit, SHUTTING_DOWN, OVERLOADED.
   */
  advertise(service: GitService, request: GitRequest): Promise<AsyncIterable<Buffer>>;
  /** One round of a fetch; the stream is to be read to its end. */
  fetch(body: Readable, request: GitRequest): Promise<AsyncIterable<Buffer>>;
  /** A whole push; the answer comes as it is made. Throws INVALID_REQUEST for what is no push. */
  push(body: Readable, request: GitRequest): AsyncIterable<Buffer>;
}

export interface GitAccessParts {
  readonly git: Git;
  /** Commits all that is acknowledged. */
  readonly flush: () => Promise<void>;
  readonly take: Take;
  readonly logger: Logger;
  readonly limits: PushLimits;
}

const fetchTimeoutMs = 3_600_000;
/** Each may hold a good part of the repository in memory. */
const parallelGits = 8;
const waitingGits = 64;

/** Opens the access; disposing it ends all that runs. */
export function createGitAccess(parts: GitAccessParts): GitAccess {
  const { git, logger, limits } = parts;
  const closing = new AbortController();
  const places = createConcurrencyLimit(parallelGits, waitingGits);
  const receiver = createPushReceiver(parts);
  const running = new Set<Promise<unknown>>();

  function signalOf({ signal }: GitRequest): AbortSignal {
    if (closing.signal.aborted) throw new AppError('SHUTTING_DOWN');
    return AbortSignal.any([signal, closing.signal]);
  }

  function track<T>(work: Promise<T>): Promise<T> {
    const settled = Promise.allSettled([work]);
    running.add(settled);
    void settled.finally(() => running.delete(settled));
    return work;
  }

  /** Starts upload-pack when there is a place for it; its end gives the place back. */
  async function uploadPack(args: readonly string[], request: GitRequest): Promise<BoundedChild> {
    const signal = signalOf(request);
    const started = Promise.withResolvers<BoundedChild>();
    const run = places.run(async () => {
      const one = startUploadPack(git.repositoryDir, args, request.protocol, signal);
      started.resolve(one);
      const { code, errors, why } = await one.ended;
      // A client that has what it wants may just leave.
      if (code !== 0 && why === undefined) logger.debug({ code, errors }, 'git upload-pack failed');
    }, signal);
    track(run).catch((error: unknown) => started.reject(error));
    return started.promise;
  }

  return {
    async advertise(service, request) {
      signalOf(request);
      await parts.flush();
      if (service === 'git-receive-pack') return one(await advertiseForPush(git));
      const { child } = await uploadPack(['--http-backend-info-refs'], request);
      child.stdin.end();
      return child.stdout;
    },
    async fetch(body, request) {
      const { child } = await uploadPack([], request);
      body.once('error', (error) => {
        child.stdout.destroy(error);
        child.kill();
      });
      // Git may answer and end before it has read everything: that is no failure, and its answer counts.
      child.stdin.once('close', () => body.resume());
      body.pipe(child.stdin);
      return child.stdout;
    },
    async *push(body, request) {
      const signal = AbortSignal.any([signalOf(request), AbortSignal.timeout(limits.timeoutMs)]);
      addAbortSignal(signal, body);
      const done = Promise.withResolvers<void>();
      void track(done.promise);
      try {
        yield* receiver.receive(body, signal, request);
      } catch (error) {
        throw closing.signal.aborted ? new AppError('SHUTTING_DOWN', {}, { cause: error }) : error;
      } finally {
        done.resolve();
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.all(running);
    },
  };
}

/** The client's words about the protocol go into the environment, which takes no more than these. */
const protocolPattern = /^[a-z0-9=:.-]{1,200}$/;

function startUploadPack(
  repositoryDir: string,
  args: readonly string[],
  protocol: string | undefined,
  signal: AbortSignal,
): BoundedChild {
  const isSound = protocol !== undefined && protocolPattern.test(protocol);
  const git = createGit(repositoryDir, isSound ? { GIT_PROTOCOL: protocol } : {});
  const settings = ['-c', 'uploadpack.allowFilter=true'];
  const command = ['upload-pack', '--strict', '--stateless-rpc', ...args, repositoryDir];
  return startBounded(git, [...settings, ...command], { timeoutMs: fetchTimeoutMs, signal });
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
