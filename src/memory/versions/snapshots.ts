/** Names for states of the whole memory: annotated tags `refs/tags/snap/<name>`. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import { authorOf } from '../git/commit-message.ts';
import { readMain } from '../git/move-ref.ts';
import type { Git } from '../git/run-git.ts';

type Snapshot = MemoryOutput<'snapshot'>['snapshots'][number];

/** Where the snapshots are in the repository. */
export const snapshotRefs = 'refs/tags/snap/';

export interface Snapshots {
  /** Names what main holds. Throws INVALID_INPUT for a name that is taken or when nothing is stored yet. */
  create(name: string, actor: string): Promise<Snapshot>;
  list(): Promise<Snapshot[]>;
  /** Takes the name away. Throws NOT_FOUND. */
  remove(name: string): Promise<Snapshot>;
}

/** Snapshots of a repository; names have passed `snapshotNameShape`. */
export function createSnapshots(git: Git, clock: Clock): Snapshots {
  async function list(): Promise<Snapshot[]> {
    const format =
      '%(refname)%00%(objecttype) %(*objecttype)%00%(objectname) %(*objectname)%00%(creatordate:unix)';
    const out = await git.run(['for-each-ref', `--format=${format}`, snapshotRefs]);
    return out.toString('utf8').split('\n').flatMap(parseRow);
  }

  async function find(name: string): Promise<Snapshot | undefined> {
    return (await list()).find((one) => one.name === name);
  }

  return {
    list,
    async create(given, actor) {
      const name = given.normalize('NFC');
      const commit = readMain(git.repositoryDir);
      if (commit === null) throw invalid('action', 'there is nothing to name yet');
      // Names that differ only by case are one file on some disks.
      const folded = name.toLowerCase();
      const taken = (await list()).some((one) => one.name.toLowerCase() === folded);
      if (taken) throw invalid('name', 'there is a snapshot of this name');
      const seconds = Math.floor(clock.now() / 1000);
      const head = `object ${commit}\ntype commit\ntag snap/${name}\ntagger ${authorOf(actor)} ${seconds} +0000`;
      const tag = await git.run(['mktag'], `${head}\n\nsnapshot ${name}\n`);
      const ref = snapshotRefs + name;
      await git.run(['update-ref', ref, tag.toString('latin1').trim(), '0'.repeat(40)]);
      return { name, commit, at: new Date(seconds * 1000).toISOString() };
    },
    async remove(given) {
      const name = given.normalize('NFC');
      const found = await find(name);
      if (!found) throw new AppError('NOT_FOUND', { what: 'snapshot', id: name });
      await git.run(['update-ref', '-d', snapshotRefs + name]);
      return found;
    },
  };
}

/** A tag that a person pushed may stand for anything; only commits count. */
function parseRow(row: string): Snapshot[] {
  const [ref = '', types = '', ids = '', seconds = ''] = row.split('\0');
  const [type, peeled] = types.split(' ');
  const [id = '', peeledId = ''] = ids.split(' ');
  if (type !== 'commit' && peeled !== 'commit') return [];
  const commit = type === 'commit' ? id : peeledId;
  return [
    { name: ref.slice(snapshotRefs.length), commit, at: new Date(Number(seconds) * 1000).toISOString() },
  ];
}

function invalid(field: string, problem: string): AppError {
  return new AppError('INVALID_INPUT', { field, problem });
}
