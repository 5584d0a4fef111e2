/** Workspaces as refs: branches `ws/<name>`, and dropped ones under a backup ref for thirty days. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { backupRefs } from '../merge/take-commit.ts';
import { moveRef, readRef } from '../git/move-ref.ts';
import { workspaceRefs } from '../git/repository.ts';
import type { Git } from '../git/run-git.ts';

/** Where dropped workspaces are kept: `<name>/<milliseconds since the epoch>`. */
const droppedRefs = `${backupRefs}ws/`;

/** How long a dropped workspace can be brought back, milliseconds. */
const keptMs = 30 * 86_400_000;

/** A workspace's branch. */
export interface WorkspaceRef {
  readonly name: string;
  readonly commit: string;
  /** Of its last commit, whole seconds in milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly actor: string;
}

export interface WorkspaceRefTable {
  list(): Promise<WorkspaceRef[]>;
  /** Throws NOT_FOUND. */
  find(name: string): Promise<WorkspaceRef>;
  /** The commit of a workspace, and the full name of its ref. Throws NOT_FOUND. */
  tipOf(name: string): { readonly ref: string; readonly tip: string };
  /** Throws INVALID_INPUT for a name that is taken. */
  create(name: string, commit: string): Promise<void>;
  /** Takes it away and keeps its commit; what was dropped long ago is forgotten. */
  drop(name: string, tip: string): Promise<void>;
  /** Brings back what was dropped last under the name. Throws NOT_FOUND, INVALID_INPUT. */
  undrop(name: string): Promise<void>;
}

/** The workspaces of a repository; names have passed `workspaceNameShape` and are in NFC. */
export function createWorkspaceRefs(git: Git, clock: Clock): WorkspaceRefTable {
  const { repositoryDir } = git;

  async function listRefs(prefix: string): Promise<WorkspaceRef[]> {
    const format = '%(refname)%00%(objecttype)%00%(objectname)%00%(committerdate:unix)%00%(authorname)';
    const out = await git.run(['for-each-ref', `--format=${format}`, prefix]);
    return out
      .toString('utf8')
      .split('\n')
      .flatMap((row) => {
        const [ref = '', type, commit = '', seconds = '', actor = ''] = row.split('\0');
        const name = ref.slice(prefix.length);
        return type === 'commit' ? [{ name, commit, atMs: Number(seconds) * 1000, actor }] : [];
      });
  }

  /** Names that differ only by case are one file on some disks. */
  async function requireFree(name: string): Promise<void> {
    const folded = name.toLowerCase();
    const isTaken = (await listRefs(workspaceRefs)).some((one) => one.name.toLowerCase() === folded);
    if (isTaken)
      throw new AppError('INVALID_INPUT', { field: 'name', problem: 'there is a workspace of this name' });
  }

  async function dropped(): Promise<{ name: string; atMs: number; commit: string }[]> {
    return (await listRefs(droppedRefs)).flatMap(({ name: place, commit }) => {
      const slash = place.lastIndexOf('/');
      const atMs = Number(place.slice(slash + 1));
      return slash > 0 && Number.isSafeInteger(atMs) ? [{ name: place.slice(0, slash), atMs, commit }] : [];
    });
  }

  async function updateRefs(commands: readonly string[]): Promise<void> {
    // One transaction: a ref that is not where it was found keeps all others from moving.
    await git.run(['update-ref', '--stdin'], ['start', ...commands, 'prepare', 'commit', ''].join('\n'));
  }

  return {
    list: () => listRefs(workspaceRefs),
    async find(name) {
      const found = (await listRefs(workspaceRefs)).find((one) => one.name === name);
      if (!found) throw notFound(name);
      return found;
    },
    tipOf(name) {
      const ref = workspaceRefs + name.normalize('NFC');
      const tip = readRef(repositoryDir, ref);
      if (tip === null) throw notFound(name);
      return { ref, tip };
    },
    async create(name, commit) {
      await requireFree(name);
      if (!moveRef(repositoryDir, workspaceRefs + name, null, commit)) await requireFree(name);
    },
    async drop(name, tip) {
      const nowMs = clock.now();
      const old = (await dropped()).filter(({ atMs }) => atMs < nowMs - keptMs);
      await updateRefs([
        `update ${droppedRefs}${name}/${nowMs} ${tip}`,
        `delete ${workspaceRefs}${name} ${tip}`,
        ...old.map((one) => `delete ${droppedRefs}${one.name}/${one.atMs} ${one.commit}`),
      ]);
    },
    async undrop(name) {
      await requireFree(name);
      const own = (await dropped()).filter((one) => one.name === name).sort((a, b) => b.atMs - a.atMs);
      const [last] = own;
      if (!last) throw notFound(name);
      await updateRefs([
        `create ${workspaceRefs}${name} ${last.commit}`,
        `delete ${droppedRefs}${name}/${last.atMs} ${last.commit}`,
      ]);
    },
  };
}

function notFound(name: string): AppError {
  return new AppError('NOT_FOUND', { what: 'workspace', id: name });
}
