/** The three levels of forgetting, with everything else of the memory held still where it has to be. */

import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { MemoryCaller, MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import type { CallGate } from '../call-gate.ts';
import type { Backups } from '../backup/backups.ts';
import type { CommitLoop } from '../commit-loop.ts';
import type { SubjectKeys } from '../encryption/subject-keys.ts';
import { normalizeKey } from '../files/key-path.ts';
import type { GitWriter } from '../git/git-writer.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import type { Git } from '../git/run-git.ts';
import type { LiveIndex } from '../index/live-index.ts';
import type { Remotes } from '../sync/remotes.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { WritePath } from '../write-path.ts';
import { type EraseOutcome, type EraseTarget, countErased } from './erase-history.ts';
import { clearErasureJob, writeErasureJob } from './erasure-job.ts';

type Input = MemoryInput<'forget'>;
type Output = MemoryOutput<'forget'>;

/** A memory as the rows have it. */
interface Place {
  readonly scope: string;
  readonly key: string;
}

export interface ForgetParts {
  readonly dataDir: string;
  readonly git: Git;
  readonly reader: ObjectReader;
  readonly index: LiveIndex;
  readonly writePath: WritePath;
  readonly loop: CommitLoop;
  readonly writer: GitWriter;
  readonly subjects: SubjectKeys;
  readonly backups: Backups;
  readonly gate: CallGate;
  readonly remotes: Remotes;
  readonly clock: Clock;
  readonly logger: Logger;
}

const shownKeys = 100;
const chunkKeys = 1000;

/** The operation. Nobody reads or writes between its look at what is there and its end. */
export function createForget(parts: ForgetParts) {
  const { index, writePath, loop, writer, subjects, backups, gate, remotes, clock, logger } = parts;

  /** Present values that a target means, expired ones too. */
  function placesOf({ scope, keys, prefix }: EraseTarget): Place[] {
    const places: Place[] = keys.flatMap((key) => (index.get(scope, key) ? [{ scope, key }] : []));
    if (prefix === undefined) return places;
    let after: string | undefined;
    for (;;) {
      const rows = index.rows.list({ scope, prefix, after, nowMs: 0, limit: chunkKeys });
      for (const { key } of rows) places.push({ scope, key });
      after = rows.at(-1)?.key;
      if (rows.length < chunkKeys) return places;
    }
  }

  async function deleteAll(places: readonly Place[], caller: MemoryCaller): Promise<void> {
    const { actor, agent, requestId } = caller;
    for (let i = 0; i < places.length; i += chunkKeys) {
      const chunk = places.slice(i, i + chunkKeys);
      await writePath.submitAll(
        chunk.map((place) => ({ op: 'delete', ...place, isExpiry: true, actor, agent, requestId })),
      );
    }
  }

  async function tombstone(target: EraseTarget, input: Input, caller: MemoryCaller): Promise<Output> {
    await index.caughtUp();
    const places = placesOf(target);
    if (input.dryRun !== true) await deleteAll(places, caller);
    return toOutput(input, places, { notes: ['Former versions stay in the history.'] });
  }

  async function shred(subject: string, input: Input, caller: MemoryCaller): Promise<Output> {
    await index.caughtUp();
    const kid = subjects.kidOf(subject);
    if (kid === undefined && input.dryRun === true) return toOutput(input, [], {});
    const places = kid === undefined ? [] : index.rows.sealedUnder((one) => one === kid);
    if (input.dryRun === true) return toOutput(input, places, {});
    // Throws where the key may be there but cannot be looked for.
    if (!subjects.destroy(subject, clock.now()))
      throw new AppError('NOT_FOUND', { what: 'key of subject', id: subject });
    await deleteAll(places, caller);
    const notes = ['Copies of subjects.jsonl that you made yourself still have the key.'];
    return toOutput(input, places, { notes });
  }

  async function rewrite(target: EraseTarget, input: Input): Promise<Output> {
    const keepBackups = input.keepBackups === true || backups.settings === undefined;
    const { places, rewritten } = await gate.alone(async () => {
      await index.caughtUp();
      return {
        places: placesOf(target),
        rewritten: await loop.rewriteHistory(() => erase(target, keepBackups, input.dryRun === true)),
      };
    });
    if (input.dryRun === true) return toOutput(input, places, { rewritten });
    writeErasureJob(parts.dataDir, { target, left: 'backups', keepBackups });
    logger.warn({ ...rewritten }, 'history was rewritten to forget memories');
    const notes = await notesOf(keepBackups);
    const backup = keepBackups ? undefined : await renewBackups(notes);
    if (backup || keepBackups) clearErasureJob(parts.dataDir);
    return toOutput(input, places, { rewritten, notes, ...(backup && { backup }) });
  }

  async function erase(target: EraseTarget, keepBackups: boolean, isDry: boolean): Promise<EraseOutcome> {
    const files = await countErased(parts.git, target);
    if (files === 0) throw new AppError('NOT_FOUND', { what: 'memory in any version', id: nameOf(target) });
    if (isDry) return { files, commits: 0, refs: 0, epoch: 0 };
    writeErasureJob(parts.dataDir, { target, left: 'history', keepBackups });
    await writePath.dropJournal();
    await parts.reader.rest();
    return writer.erase(target);
  }

  async function renewBackups(notes: string[]): Promise<Output['backup']> {
    try {
      return await backups.renew();
    } catch (error) {
      logger.error(
        { err: error },
        'backups still hold what was forgotten; it is tried again at the next start',
      );
      notes.push('The backups could not be renewed and still hold it; it is tried again at the next start.');
      return undefined;
    }
  }

  async function notesOf(keepBackups: boolean): Promise<string[]> {
    const notes = ['Clones have the old history: they must be made anew, and their pushes are refused.'];
    for (const { name, branch } of await remotes.status())
      notes.push(`Remote ${name} has the old history: delete its branch ${branch} there, then sync.`);
    if (keepBackups) notes.push('Backups made before still hold it.');
    return notes;
  }

  return async (input: Input, caller: MemoryCaller): Promise<Output> => {
    const { subject } = input;
    if (subject !== undefined) return gate.alone(() => shred(subject, input, caller));
    const target: EraseTarget = {
      scope: input.scope ?? 'shared',
      keys: (input.keys ?? []).map(normalizeKey),
      prefix: input.all === true ? '' : input.prefix?.normalize('NFC'),
    };
    if (input.level === 'rewrite') return rewrite(target, input);
    return gate.alone(() => tombstone(target, input, caller));
  };
}

function nameOf({ scope, keys, prefix }: EraseTarget): string {
  return `${scope}/${keys[0] ?? `${prefix ?? ''}*`}`;
}

function toOutput(input: Input, places: readonly Place[], more: Partial<Output>): Output {
  return {
    level: input.level,
    dryRun: input.dryRun === true,
    forgotten: places.length,
    keys: places.slice(0, shownKeys).map(({ scope, key }) => ({ scope, key })),
    notes: [],
    ...more,
  };
}
