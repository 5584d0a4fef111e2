/**
 * What a commit says about the writes in it: author is the actor, committer the coordinator, one set of
 * trailers a write. No value can break out of its line, so nothing a caller sends can forge a trailer.
 */

import { type WriteOp, type WriteRecord, isWriteOp } from '../write-record.ts';

/** Email of the committer of all our commits. */
export const committerEmail = 'git-memory-mcp@git-memory.invalid';
const committer = `git-memory-mcp <${committerEmail}>`;

/** The bytes of a commit that holds `records` (no key twice); actors after the last one are co-authors. */
export function encodeCommit(commit: {
  readonly tree: string;
  readonly parent: string | null;
  readonly records: readonly WriteRecord[];
}): Buffer {
  const { tree, parent, records } = commit;
  const last = records.at(-1);
  if (!last) throw new RangeError('a commit needs a write');
  const date = `${Math.floor(last.atMs / 1000)} +0000`;
  const lines = [
    `tree ${tree}`,
    ...(parent === null ? [] : [`parent ${parent}`]),
    `author ${authorOf(last.actor)} ${date}`,
    `committer ${committer} ${date}`,
    '',
    subjectOf(records),
    '',
    ...coAuthorsOf(records, last.actor),
    ...records.map(trailerSetOf),
  ];
  return Buffer.from(`${lines.join('\n')}\n`, 'utf8');
}

/** The bytes of a merge: nothing in it but the two commits and what follows from them. */
export function encodeMergeCommit(merge: {
  readonly tree: string;
  /** Sorted. */
  readonly parents: readonly string[];
  /** Seconds since the Unix epoch, of the later parent. */
  readonly atSeconds: number;
  readonly conflicts: number;
}): Buffer {
  const { tree, parents, atSeconds, conflicts } = merge;
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${committer} ${atSeconds} +0000`,
    `committer ${committer} ${atSeconds} +0000`,
    '',
    `merge ${parents.map((parent) => parent.slice(0, 12)).join(' and ')}`,
    ...(conflicts === 0 ? [] : ['', `Memory-Conflicts: ${conflicts}`]),
  ];
  return Buffer.from(`${lines.join('\n')}\n`, 'utf8');
}

function subjectOf(records: readonly WriteRecord[]): string {
  const [first] = records;
  if (records.length > 1 || !first) return `${records.length} writes`;
  const subject = `${first.op} ${encodeTrailerValue(`${first.scope}/${first.key}`)}`;
  return subject.length <= 100 ? subject : `${subject.slice(0, 97).replace(/[\ud800-\udbff]$/, '')}...`;
}

/** https://docs.github.com/en/pull-requests/committing-changes-to-your-project/creating-and-editing-commits */
function coAuthorsOf(records: readonly WriteRecord[], author: string): string[] {
  const actors = new Set(records.map((record) => record.actor));
  actors.delete(author);
  return [...actors].map((actor) => `Co-authored-by: ${authorOf(actor)}`);
}

/** All trailers of one write, a line each: what tells it from every other write. */
export function trailerSetOf(record: WriteRecord): string {
  const lines = [
    `Memory-Op: ${record.op}`,
    `Memory-Key: ${encodeTrailerValue(`${record.scope}/${record.key}`)}`,
    `Memory-Actor: ${encodeTrailerValue(record.actor)}`,
    `Memory-Agent: ${encodeTrailerValue(record.agent)}`,
    ...(record.requestId === undefined ? [] : [`Memory-Request: ${encodeTrailerValue(record.requestId)}`]),
    `Memory-Time: ${new Date(record.atMs).toISOString()}`,
    `Memory-Seq: ${record.seq}`,
    ...(record.replica === undefined ? [] : [`Memory-Replica: ${encodeTrailerValue(record.replica)}`]),
  ];
  return lines.join('\n');
}

/** The sets of trailers in a message, each as `trailerSetOf` made it. */
export function trailerSetsIn(message: string): string[] {
  const lines = message.split('\n').filter((line) => line.startsWith('Memory-'));
  const sets = lines.join('\n').split(/^(?=Memory-Op: )/m);
  return sets.map((set) => set.replace(/\n$/, ''));
}

/** A name and address that Git takes: no angle brackets, line ends or empty names. */
export function authorOf(actor: string): string {
  const name = actor
    .toWellFormed()
    .replaceAll(/[<>\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, '');
  const mailbox = actor.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replaceAll(/^-+|-+$/g, '');
  return `${name || 'unknown'} <${mailbox.slice(0, 64) || 'unknown'}@git-memory.invalid>`;
}

/** One line of text: line ends, control characters, `%` and outer spaces become `%xx`. */
export function encodeTrailerValue(value: string): string {
  return value
    .toWellFormed()
    .replaceAll(/[%\p{Cc}\p{Zl}\p{Zp}]|^\s|\s$/gu, (character) => encodeURIComponent(character));
}

/** What one set of trailers says. */
export interface WriteTrailers {
  readonly op: WriteOp;
  readonly scope: string;
  readonly key: string;
  readonly actor: string;
  readonly atMs: number;
  readonly seq: number;
  /** The run that accepted it; absent in commits from before there was one. */
  readonly replica?: string | undefined;
}

/** Reads the trailer sets of a commit of ours; sets that are not whole are left out. */
export function decodeTrailers(message: string): WriteTrailers[] {
  const sets: Map<string, string>[] = [];
  for (const line of message.split('\n')) {
    const [, name, value] = /^Memory-(\w+): (.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    if (name === 'Op') sets.push(new Map());
    sets.at(-1)?.set(name, value);
  }
  return sets.flatMap((set) => toTrailers(set) ?? []);
}

function toTrailers(set: ReadonlyMap<string, string>): WriteTrailers | undefined {
  const op = set.get('Op');
  const id = decodeTrailerValue(set.get('Key') ?? '');
  const slash = id.indexOf('/');
  const seq = Number(set.get('Seq'));
  const atMs = Date.parse(set.get('Time') ?? '');
  if (!isWriteOp(op)) return undefined;
  if (slash < 1 || !Number.isSafeInteger(seq) || Number.isNaN(atMs)) return undefined;
  const actor = decodeTrailerValue(set.get('Actor') ?? '');
  const replica = set.get('Replica');
  return { op, scope: id.slice(0, slash), key: id.slice(slash + 1), actor, atMs, seq, replica };
}

function decodeTrailerValue(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
