/**
 * One round with a remote: fetch, take into main, push. Nothing is ever forced, here or there; when someone
 * else was first, it begins anew on top of theirs.
 */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { isOldEpoch } from '../erasure/epoch.ts';
import { isReachable } from '../git/landing.ts';
import { readMain } from '../git/move-ref.ts';
import type { Git } from '../git/run-git.ts';
import { requireMemoryTree } from './memory-tree.ts';
import {
  type PushedRef,
  type RemoteGit,
  type RemoteOptions,
  incomingRef,
  openRemote,
  readRef,
  trackingRef,
} from './remote-git.ts';
import { toRemoteError } from './remote-failure.ts';
import { fetchableSnapshots, pushableSnapshots } from './sync-snapshots.ts';
import type { Take } from './take.ts';

export interface RoundParts {
  readonly git: Git;
  /** Commits all that is acknowledged. */
  readonly flush: () => Promise<void>;
  readonly take: Take;
  /** Takes away objects that no ref names. */
  readonly dropUnreachable: () => Promise<void>;
  /** Commits that are not fetched again: they have history that was forgotten here. */
  readonly refused: Set<string>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds to wait before the try after a lost race, by its number from 0. */
  readonly raceDelayMs: (attempt: number) => number;
}

/** What a round did. */
export interface RoundOutcome {
  /** True when commits of the remote came into main. */
  readonly isPulled: boolean;
  readonly isPushed: boolean;
  readonly conflicts: number;
  /** What was unusual, for people. */
  readonly notes: readonly string[];
}

const maxTries = 12;

interface Round extends RoundParts {
  readonly options: RemoteOptions;
  readonly remote: RemoteGit;
  readonly signal: AbortSignal;
  readonly notes: Set<string>;
  isPulled: boolean;
  isPushed: boolean;
  conflicts: number;
}

/** Runs one round. Throws REMOTE_FAILED, SHUTTING_DOWN, and what committing or taking failed with. */
export async function runRound(
  parts: RoundParts,
  options: RemoteOptions,
  signal: AbortSignal,
): Promise<RoundOutcome> {
  const remote = await openRemote(parts.git.repositoryDir, options, signal);
  const round: Round = {
    ...parts,
    options,
    remote,
    signal,
    notes: new Set(),
    isPulled: false,
    isPushed: false,
    conflicts: 0,
  };
  for (let attempt = 0; attempt < maxTries; attempt++) {
    if (await tryOnce(round)) {
      const { isPulled, isPushed, conflicts, notes } = round;
      return { isPulled, isPushed, conflicts, notes: [...notes] };
    }
    await pause(parts.clock, parts.raceDelayMs(attempt), signal);
  }
  throw new AppError('REMOTE_FAILED', {
    remote: options.name,
    problem: `others were first ${maxTries} times`,
    fix: 'it is tried again by itself',
  });
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      cancel();
      reject(new AppError('SHUTTING_DOWN'));
    };
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
}

/** False when someone else was first. */
async function tryOnce(round: Round): Promise<boolean> {
  const { git, options, remote } = round;
  await round.flush();
  const refs = await remote.list();
  const branch = `refs/heads/${options.branch}`;
  const tip = refs.get(branch) ?? null;
  const fetched = tip === null ? null : await fetchTip(round, branch, tip);
  if (fetched !== null) await takeTip(round, fetched);
  if (options.direction !== 'push') await fetchSnapshots(round, refs);
  const head = readMain(git.repositoryDir);
  if (options.direction === 'pull' || head === null) return true;
  return push(round, { branch, head, fetched, refs });
}

/** Brings the remote's branch here; the commit that it was at, which may be newer than `tip`. */
async function fetchTip(round: Round, branch: string, tip: string): Promise<string> {
  const { git, options, remote, logger } = round;
  const tracking = trackingRef(options.name);
  const before = await readRef(git, tracking);
  if (before === tip) return tip;
  if (round.refused.has(tip)) throw oldHistory(round);
  // A ref of its own for what comes: nothing is overwritten, even when the remote was rewritten.
  const incoming = incomingRef(options.name);
  await git.run(['update-ref', '-d', incoming]);
  logger.info({ remote: options.name }, 'fetching memories');
  await remote.fetch([`${branch}:${incoming}`]);
  const fetched = await readRef(git, incoming);
  if (fetched === null) throw toRemoteError(options.name, 'fatal: the branch went away', undefined);
  if (await isOldEpoch(git, fetched)) {
    await git.run(['update-ref', '-d', incoming]);
    await round.dropUnreachable();
    round.refused.add(fetched);
    throw oldHistory(round);
  }
  if (before !== null && !(await isReachable(git, before, fetched))) {
    logger.warn({ remote: options.name, before, fetched }, 'the remote was rewritten');
    round.notes.add(
      `the remote was rewritten; the commit that it had, ${before.slice(0, 10)}, is kept and stays on main`,
    );
  }
  return fetched;
}

function oldHistory({ options }: Round): AppError {
  return new AppError('REMOTE_FAILED', {
    remote: options.name,
    problem: `its branch ${options.branch} has history that was forgotten here`,
    fix: `delete that branch and the snapshots there, then synchronize again`,
  });
}

/** Only what is on main counts as seen: a take that failed is made up for in the next round. */
async function takeTip(round: Round, tip: string): Promise<void> {
  const { git, options } = round;
  const before = await readRef(git, trackingRef(options.name));
  if (!(await isReachable(git, tip, readMain(git.repositoryDir)))) await takeNew(round, tip, before);
  if (before !== tip) await git.run(['update-ref', trackingRef(options.name), tip]);
  await git.run(['update-ref', '-d', incomingRef(options.name)]);
}

async function takeNew(round: Round, tip: string, before: string | null): Promise<void> {
  const { git, options, logger } = round;
  const main = readMain(git.repositoryDir);
  if (options.direction === 'push') {
    throw new AppError('REMOTE_FAILED', {
      remote: options.name,
      problem: 'it has commits that are not here, and its direction is push',
      fix: 'set direction to both, or give it a branch of its own',
    });
  }
  const base = main === null ? undefined : await git.exitCode(['merge-base', main, tip]);
  if (base !== 0) await requireMemoryTree(git, tip, options);
  if (base === 1) {
    logger.warn({ remote: options.name, tip, main }, 'the remote has a history of its own; merging the two');
    round.notes.add(
      'the remote had a history of its own; main as it was before is under refs/git-memory/backup/',
    );
  }
  const outcome = await round.take(tip, before ?? undefined);
  round.isPulled ||= outcome.kind !== 'up-to-date';
  round.conflicts += outcome.conflicts;
}

async function fetchSnapshots(round: Round, refs: ReadonlyMap<string, string>): Promise<void> {
  const { wanted, notes } = await fetchableSnapshots(round.git, refs);
  for (const note of notes) round.notes.add(note);
  if (wanted.length === 0) return;
  await round.remote.fetch(wanted.map((ref) => `${ref}:${ref}`));
  const old: string[] = [];
  for (const ref of wanted) if (await isOldEpoch(round.git, ref)) old.push(ref);
  if (old.length === 0) return;
  for (const ref of old) await round.git.run(['update-ref', '-d', ref]);
  await round.dropUnreachable();
  round.notes.add(`${old.join(', ')} there has history that was forgotten here: delete it there`);
}

interface PushPlan {
  readonly branch: string;
  readonly head: string;
  /** Where the remote's branch is; null when it has none. */
  readonly fetched: string | null;
  readonly refs: ReadonlyMap<string, string>;
}

/** False for a lost race. */
async function push(round: Round, { branch, head, fetched, refs }: PushPlan): Promise<boolean> {
  const { git, options, remote, logger } = round;
  const snapshots = await pushableSnapshots(git, refs);
  const refspecs = [
    ...(head === fetched ? [] : [`${head}:${branch}`]),
    ...snapshots.map((ref) => `${ref}:${ref}`),
  ];
  if (refspecs.length === 0) return true;
  logger.info({ remote: options.name, refs: refspecs.length }, 'pushing memories');
  const answers = await remote.push(refspecs);
  for (const { ref, isTaken, reason } of answers) {
    if (!isTaken && ref !== branch) round.notes.add(`${ref} was not taken: ${reason}`);
  }
  if (head === fetched) return true;
  const main = answers.find(({ ref }) => ref === branch);
  if (main?.isTaken !== true) return refused(round, main);
  round.isPushed = true;
  await git.run(['update-ref', trackingRef(options.name), head]);
  // A server of ours merges what comes second: then its head is news for us.
  return !remote.kind.startsWith('http') || (await remote.list()).get(branch) === head;
}

function refused({ options }: Round, answer: PushedRef | undefined): false {
  if (answer?.isRace === true) return false;
  const said = answer?.reason ?? 'the remote did not answer for the branch';
  throw toRemoteError(options.name, `! [remote rejected] ${said}`, undefined);
}
