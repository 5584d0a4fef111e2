/** What a workspace changed since it left main, and which of it main has changed too. */

import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import type { Git } from '../git/run-git.ts';
import { findMergeBases } from '../merge/merge-commits.ts';
import { type TreeChange, emptyTree, readTreeChanges } from '../merge/tree-changes.ts';
import { groupChanges } from '../merge/units.ts';

type WorkspaceChange = NonNullable<MemoryOutput<'workspace'>['changes']>[number];

/** The changes by scope and key; `main` is null while there is none. Throws GIT_FAILED. */
export async function readWorkspaceChanges(
  { git, reader }: { readonly git: Git; readonly reader: ObjectReader },
  main: string | null,
  tip: string,
): Promise<WorkspaceChange[]> {
  const [base = emptyTree] = main === null ? [] : await findMergeBases(git, main, tip);
  const [ours, theirs] = await Promise.all([
    main === null || main === base ? new Map<string, TreeChange>() : readTreeChanges(git, base, main),
    readTreeChanges(git, base, tip),
  ]);
  const units = await groupChanges(reader, ours, theirs);
  const changes = [...units.all.values()].flatMap((unit): WorkspaceChange[] => {
    if (!unit.memory || !unit.isTheirs) return [];
    const there = sidesOf(theirs, unit.paths);
    const here = sidesOf(ours, unit.paths);
    const { before, after } = there;
    if (before === after) return [];
    const change = before === null ? 'added' : after === null ? 'deleted' : 'changed';
    const changedInMain = unit.isOurs && here.after !== after;
    return [{ ...unit.memory, change, before, after, changedInMain }];
  });
  return changes.sort((a, b) => compare(a.scope, b.scope) || compare(a.key, b.key));
}

/** Blob ids before and after, over all files of a memory. */
function sidesOf(changes: ReadonlyMap<string, TreeChange>, paths: ReadonlySet<string>) {
  const own = [...paths].flatMap((path) => changes.get(path) ?? []);
  return {
    before: own.find((change) => change.before)?.before?.id ?? null,
    after: own.find((change) => change.after)?.after?.id ?? null,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
