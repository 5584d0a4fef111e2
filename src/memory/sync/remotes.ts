/** The remotes of a memory: rounds by schedule and when asked, one at a time for each, and how it goes. */

import { randomInt } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { AppError, isAppError, messageOf, toAppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { readMain } from '../git/move-ref.ts';
import type { Git } from '../git/run-git.ts';
import { type RemoteOptions, incomingRef, readRef, trackingRef } from './remote-git.ts';
import { maskRemoteUrl } from './remote-url.ts';
import { type RoundOutcome, runRound } from './sync-round.ts';
import { type RemoteState, openSyncState } from './sync-state.ts';
import type { Take } from './take.ts';

/** One remote as it stands. */
export interface RemoteStatus extends RemoteState {
  readonly name: string;
  readonly source: RemoteOptions['source'];
  /** Without anything secret. */
  readonly url: string;
  readonly branch: string;
  readonly direction: RemoteOptions['direction'];
  readonly isRunning: boolean;
  /** Commits of main that the remote did not have when it was last seen; null before that. */
  readonly ahead: number | null;
  /** Commits of the remote, as last seen, that are not on main. */
  readonly behind: number | null;
  /** When the next round begins by itself; absent when only by hand. */
  readonly nextMs?: number;
  /** What the last round of this process did. */
  readonly lastRound: RoundOutcome | undefined;
}

export interface Remotes extends AsyncDisposable {
  /**
   * Runs a round with one remote, or with all. Resolves when they are over, or after `waitMs` with some still
   * running; how each went is in the statuses. Throws NOT_FOUND for a name that is none.
   */
  sync(name: string | undefined, waitMs: number): Promise<RemoteStatus[]>;
  /** How it stands. Throws NOT_FOUND. */
  status(name?: string): Promise<RemoteStatus[]>;
  /** Takes one more; its first round begins within seconds. Throws INVALID_INPUT for a name that is taken. */
  add(options: RemoteOptions): void;
  /**
   * Lets go of one that was added, also of what is known of it; a round with it is ended. What came from there stays.
   * Throws NOT_FOUND.
   */
  remove(name: string): Promise<void>;
}

export interface RemotesParts {
  readonly git: Git;
  readonly dataDir: string;
  readonly flush: () => Promise<void>;
  readonly take: Take;
  /** Takes away objects that no ref names. */
  readonly dropUnreachable: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly remotes: readonly RemoteOptions[];
  /** A number from 0 to below `max`, for waiting times. */
  readonly draw?: (max: number) => number;
}

const firstRetryMs = 5000;
const longestRetryMs = 900_000;
const raceBaseMs = 50;
const longestRaceMs = 5000;
const keptNotes = 10;
const keptTips = 10;

/** Starts the schedules; the first rounds begin within seconds. */
export function createRemotes(parts: RemotesParts): Remotes {
  const { git, clock, logger, draw = randomInt } = parts;
  const state = openSyncState(parts.dataDir);
  const closing = new AbortController();
  const all = new Map(parts.remotes.map((options) => [options.name, createRemote(options)]));

  /** Half of a step that doubles with each try is fixed, half is drawn, so that replicas spread. */
  function backoffMs(attempt: number, baseMs: number, capMs: number): number {
    const half = Math.floor(Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30)) / 2);
    return half + draw(half + 1);
  }

  function createRemote(options: RemoteOptions) {
    const removing = new AbortController();
    const signal = AbortSignal.any([closing.signal, removing.signal]);
    const everyMs = options.everySeconds * 1000;
    let running: Promise<void> | undefined;
    let lastRound: RoundOutcome | undefined;
    let cancel: (() => void) | undefined;
    let nextMs: number | undefined;

    function schedule(delayMs: number): void {
      cancel?.();
      if (everyMs === 0 || signal.aborted) return;
      nextMs = clock.now() + delayMs;
      cancel = clock.after(delayMs, () => void run());
    }

    function run(): Promise<void> {
      cancel?.();
      running ??= round().finally(() => {
        running = undefined;
        const { failures } = state.get(options.name);
        const retryMs = backoffMs(failures - 1, firstRetryMs, Math.min(longestRetryMs, everyMs));
        schedule(failures > 0 ? retryMs : everyMs - draw(Math.floor(everyMs / 10) + 1));
      });
      return running;
    }

    async function round(): Promise<void> {
      const { name } = options;
      const before = state.get(name);
      const refused = new Set(before.refusedTips ?? []);
      const raceDelayMs = (attempt: number) => backoffMs(attempt, raceBaseMs, longestRaceMs);
      try {
        lastRound = await runRound({ ...parts, raceDelayMs, refused }, options, signal);
        const notes = [...before.notes, ...lastRound.notes.filter((note) => !before.notes.includes(note))];
        remember({ lastSuccessMs: clock.now(), failures: 0, notes: notes.slice(-keptNotes) });
        logger.info({ remote: name, ...lastRound }, 'synchronized memories');
      } catch (error) {
        if (signal.aborted) return;
        const known = isAppError(error) ? error : toAppError(error);
        if (known.code === 'INTERNAL') logger.error({ id: known.id, err: known.cause }, 'sync failed');
        else logger.warn({ remote: name, code: known.code, problem: known.message }, 'sync failed');
        const lastError = { atMs: clock.now(), message: known.message };
        remember({
          ...before,
          lastError,
          failures: before.failures + 1,
          refusedTips: [...refused].slice(-keptTips),
        });
      }
    }

    function remember(now: RemoteState): void {
      try {
        state.set(options.name, now);
      } catch (error) {
        logger.warn({ problem: messageOf(error) }, 'the state of sync could not be kept');
      }
    }

    async function status(): Promise<RemoteStatus> {
      const { name, source, url, branch, direction } = options;
      // Counted last, so that a round which ends meanwhile does not show without what it did.
      const before = { ...state.get(name), isRunning: running !== undefined, lastRound };
      const counts = await countApart(git, name);
      return {
        ...before,
        ...counts,
        name,
        source,
        url: maskRemoteUrl(url),
        branch,
        direction,
        ...(nextMs !== undefined && everyMs > 0 && { nextMs }),
      };
    }

    // Not at once: a coordinator that starts has other things to do.
    schedule(draw(Math.min(everyMs, 2000) + 1));
    return {
      /** A round that begins now, and so has what was written before; one that is under way ends first. */
      async run() {
        await running;
        await run();
      },
      status,
      async stop() {
        removing.abort();
        cancel?.();
        await running;
      },
    };
  }

  function chosen(name: string | undefined) {
    if (name === undefined) return [...all.values()];
    const one = all.get(name);
    if (!one) throw new AppError('NOT_FOUND', { what: 'remote', id: name });
    return [one];
  }

  const status = async (name?: string) => Promise.all(chosen(name).map((remote) => remote.status()));

  return {
    status,
    add(options) {
      const { name } = options;
      if (all.has(name))
        throw new AppError('INVALID_INPUT', { field: 'name', problem: `${name} is there already` });
      all.set(name, createRemote(options));
    },
    async remove(name) {
      const [remote] = chosen(name);
      await remote?.stop();
      all.delete(name);
      state.remove(name);
      for (const ref of [trackingRef(name), incomingRef(name)]) await git.run(['update-ref', '-d', ref]);
    },
    async sync(name, waitMs) {
      if (closing.signal.aborted) throw new AppError('SHUTTING_DOWN');
      const rounds = Promise.all(chosen(name).map((remote) => remote.run()));
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(waitMs, () => late.resolve());
      await Promise.race([rounds, late.promise]);
      cancel();
      return status(name);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.all([...all.values()].map((remote) => remote.stop()));
    },
  };
}

async function countApart(git: Git, name: string): Promise<{ ahead: number | null; behind: number | null }> {
  const [main, theirs] = [readMain(git.repositoryDir), await readRef(git, trackingRef(name))];
  if (main === null || theirs === null) return { ahead: null, behind: null };
  const out = await git.run(['rev-list', '--left-right', '--count', `${main}...${theirs}`]);
  const [ahead = 0, behind = 0] = out.toString('latin1').trim().split('\t').map(Number);
  return { ahead, behind };
}
