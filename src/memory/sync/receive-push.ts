/**
 * The receiving side of `git push` (gitprotocol-pack): the pack is checked in quarantine, then brought into
 * main by fast-forward or merge. Nothing that a push sends can take something away, forced or not.
 */

import { AppError, isAppError, toAppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { product } from '../../kernel/product.ts';
import { isOldEpoch } from '../erasure/epoch.ts';
import { runBounded } from '../git/bounded-git.ts';
import { isReachable } from '../git/landing.ts';
import { readMain } from '../git/move-ref.ts';
import { createObjectReader } from '../git/object-reader.ts';
import { mainRef } from '../git/repository.ts';
import type { Git } from '../git/run-git.ts';
import { snapshotRefs } from '../versions/snapshots.ts';
import { createPacketReader, encodeBand, encodePacket, flushPacket } from './pkt-line.ts';
import { type PushCommand, noId, parseCommand } from './push-command.ts';
import { type RefAnswer, writeReport } from './push-report.ts';
import { type Quarantine, openQuarantine } from '../git/quarantine.ts';
import { takeSnapshot } from './take-snapshot.ts';
import type { Take } from './take.ts';
import { type MayChange, type PushLimits, type PushProblem, validatePush } from './validate-push.ts';

export interface PushParts {
  readonly git: Git;
  readonly take: Take;
  readonly logger: Logger;
  readonly limits: PushLimits;
}

const capabilities = [
  'report-status',
  'side-band-64k',
  'quiet',
  'ofs-delta',
  'object-format=sha1',
  `agent=${product.name}/${product.version}`,
].join(' ');

const maxCommands = 1000;

/** What a client sees before it pushes: branches, tags, and what we can do. */
export async function advertiseForPush(git: Git): Promise<Buffer> {
  const format = '--format=%(objectname) %(refname)';
  const out = await git.run(['for-each-ref', format, 'refs/heads/', 'refs/tags/']);
  const refs = out.toString('utf8').split('\n').filter(Boolean);
  const rows = refs.length > 0 ? refs : [`${noId} capabilities^{}`];
  const lines = rows.map((row, i) => encodePacket(i === 0 ? `${row}\0${capabilities}\n` : `${row}\n`));
  return Buffer.concat([...lines, flushPacket]);
}

/** Receives pushes into one repository, one at a time from the check on. */
export function createPushReceiver(parts: PushParts) {
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = last.then(task);
    last = result.catch(() => {});
    return result;
  }

  return {
    /** The answer to the body of a push, as it comes into being. Throws only for what is no push at all. */
    async *receive(
      body: AsyncIterable<Uint8Array>,
      signal: AbortSignal,
      {
        onPushed,
        mayChange,
      }: {
        readonly onPushed?: ((answers: readonly RefAnswer[]) => void) | undefined;
        readonly mayChange?: MayChange | undefined;
      } = {},
    ): AsyncGenerator<Buffer> {
      const packets = createPacketReader(body);
      const { commands, features } = await readCommands(packets);
      if (commands.length === 0) return;
      const say = (text: string) => (features.has('side-band-64k') ? encodeBand(2, text) : undefined);
      const lines: string[] = [];
      let answers: RefAnswer[];
      let unpacked = 'ok';
      try {
        await using quarantine = await openQuarantine(parts.git);
        if (commands.some(({ to }) => to !== noId)) {
          await quarantine.store(packets.rest(), parts.limits, signal);
        }
        const checking = say('checking what you pushed\n');
        if (checking && !features.has('quiet')) yield checking;
        answers = await inTurn(() => settle(parts, quarantine, commands, { signal, mayChange }, lines));
      } catch (error) {
        const known = toAppError(error);
        logFailure(parts.logger, known);
        unpacked = known.message;
        lines.push(known.message);
        answers = commands.map(({ ref }) => ({ ref, problem: 'not taken' }));
      }
      onPushed?.(answers);
      for (const line of lines) yield say(`${line}\n`) ?? Buffer.alloc(0);
      const report = writeReport(unpacked, answers, features);
      yield features.has('side-band-64k') ? Buffer.concat([encodeBand(1, report), flushPacket]) : report;
    },
  };
}

function logFailure(logger: Logger, error: AppError): void {
  if (error.code === 'INTERNAL') logger.error({ id: error.id, err: error.cause }, 'a push failed');
  else logger.info({ code: error.code, problem: error.message }, 'a push was refused');
}

async function readCommands(packets: ReturnType<typeof createPacketReader>) {
  const commands: PushCommand[] = [];
  let features: ReadonlySet<string> = new Set();
  for (let packet = await packets.next(); packet; packet = await packets.next()) {
    const text = packet.toString('utf8');
    // A shallow clone says where its history is cut; what counts is that we have the rest.
    if (text.startsWith('shallow ')) continue;
    const [line = '', offered] = text.split('\0');
    if (offered !== undefined) features = new Set(offered.trim().split(' '));
    commands.push(parseCommand(line));
    if (commands.length > maxCommands) {
      throw new AppError('INVALID_REQUEST', { problem: `more than ${maxCommands} refs in one push` });
    }
  }
  return { commands, features };
}

interface PushBounds {
  readonly signal: AbortSignal;
  readonly mayChange?: MayChange | undefined;
}

/** Checks and takes main, then the snapshots, which may name what has just come. */
async function settle(
  parts: PushParts,
  quarantine: Quarantine,
  commands: readonly PushCommand[],
  bounds: PushBounds,
  lines: string[],
): Promise<RefAnswer[]> {
  const main = commands.find(({ ref }) => ref === mainRef);
  const answers = new Map<string, RefAnswer>();
  const keptFor = main?.to ?? commands[0]?.to ?? noId;
  for (const { to } of commands) if (to !== noId) await requireKnownEpoch(quarantine.git, to);
  let problems: readonly PushProblem[] = [];
  if (main && main.to !== noId) problems = await check(parts, quarantine, main.to, bounds);
  const pack = problems.length === 0 ? quarantine.install(keptFor) : { release() {}, remove() {} };
  try {
    for (const command of [...(main ? [main] : []), ...commands.filter((one) => one !== main)]) {
      answers.set(command.ref, await answer(parts, command, problems, lines));
    }
  } finally {
    // Whatever went wrong: a pack that something refers to stays.
    const isNeeded = [...answers.values()].some(({ problem }) => problem === undefined);
    const isTaken = isNeeded || (await isReachable(parts.git, keptFor, readMain(parts.git.repositoryDir)));
    if (isTaken) pack.release();
    else pack.remove();
  }
  return commands.map(({ ref }) => answers.get(ref) ?? { ref, problem: 'given twice' });
}

/** Nothing of a history that was forgotten here comes in again. */
async function requireKnownEpoch(git: Git, tip: string): Promise<void> {
  if (!(await isOldEpoch(git, tip))) return;
  const fix = 'make a new clone, and put your changes there';
  throw new AppError('MEMORY_FORGOTTEN', { commit: tip.slice(0, 12), fix });
}

async function check(
  { git, limits }: PushParts,
  quarantine: Quarantine,
  tip: string,
  { signal, mayChange }: PushBounds,
): Promise<readonly PushProblem[]> {
  await using reader = createObjectReader(quarantine.git);
  const found = await reader.read(tip);
  if (found === undefined || found === 'ambiguous' || found.type !== 'commit') {
    throw new AppError('INVALID_REQUEST', { problem: `${tip} is no commit, or was not sent` });
  }
  const main = readMain(git.repositoryDir);
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(limits.timeoutMs)]);
  const verdict = await validatePush({ git: quarantine.git, reader, main, tip, mayChange }, limits, bounded);
  return verdict.problems;
}

async function answer(
  parts: PushParts,
  command: PushCommand,
  problems: readonly PushProblem[],
  lines: string[],
): Promise<RefAnswer> {
  const { ref, to } = command;
  if (ref !== mainRef && !ref.startsWith(snapshotRefs)) {
    lines.push(`${ref}: only ${mainRef} and ${snapshotRefs}<name> can be pushed`);
    return { ref, problem: `only main and ${snapshotRefs.slice(0, -1)} are taken` };
  }
  if (to === noId) {
    lines.push(`${ref}: a push cannot delete; use the memory tools`);
    return { ref, problem: 'deletion is not allowed' };
  }
  if (problems.length > 0) {
    if (ref !== mainRef) return { ref, problem: 'main was not taken' };
    lines.push(...problems.flatMap(wordsOf), 'nothing of this push was taken');
    const [first] = problems;
    const more = problems.length > 1 ? ` and ${problems.length - 1} more` : '';
    return { ref, problem: `${first?.path.slice(0, 100)} ${first?.problem.slice(0, 200)}${more}` };
  }
  try {
    return ref === mainRef ? await takeMain(parts, command, lines) : await takeSnapshot(parts.git, command);
  } catch (error) {
    const known = toAppError(error);
    logFailure(parts.logger, known);
    lines.push(`${ref}: ${known.message}`);
    return { ref, problem: isAppError(error) ? known.message : `internal error ${known.id}` };
  }
}

function wordsOf({ path, problem, fix, commit }: PushProblem): string[] {
  const where = commit === undefined ? '' : ` (in commit ${commit.slice(0, 10)})`;
  return [`${path}: ${problem}${where}`, `  → ${fix}`];
}

/** A commit that the client's own view of main has behind it was meant to take something back. */
async function takeMain(
  { git, take }: PushParts,
  { ref, from, to }: PushCommand,
  lines: string[],
): Promise<RefAnswer> {
  const before = readMain(git.repositoryDir);
  if (from !== noId && from !== to && (await isReachable(git, to, from))) {
    lines.push('a push cannot take commits back; memory_restore brings former values back as new ones');
    return { ref, problem: 'main is ahead of it' };
  }
  const { kind, head, conflicts } = await take(to);
  if (kind === 'merged') {
    lines.push(`main had moved on and yours was merged with it as ${head.slice(0, 10)}; now: git pull`);
    if (conflicts > 0) lines.push(`${conflicts} conflicts are recorded under conflicts/`);
  } else if (from !== noId && kind === 'fast-forward' && before !== null) {
    const count = await runBounded(git, ['rev-list', '--count', `${before}..${head}`], {
      timeoutMs: 60_000,
      signal: new AbortController().signal,
    });
    lines.push(`took ${count.out.trim()} commits`);
  }
  return { ref };
}
