/** Operations on workspaces: made, compared, merged, dropped. */

import { AppError } from '../../kernel/errors.ts';
import type { MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import { readMain } from '../git/move-ref.ts';
import { readWorkspaceChanges } from '../workspaces/workspace-changes.ts';
import type { WorkspaceRef, WorkspaceRefTable } from '../workspaces/workspace-refs.ts';
import type { HandlerParts, MemoryHandlers } from './handler-parts.ts';
import { isoTime } from './place.ts';

type Output = MemoryOutput<'workspace'>;
type Merged = NonNullable<Output['merged']>;

const staleMs = 30 * 86_400_000;
const maxShown = 1000;

/** Their handlers. */
export function createWorkspaceHandlers(
  parts: HandlerParts,
  refs: WorkspaceRefTable,
): Pick<MemoryHandlers, 'workspace'> {
  const { git, reader, index, versions, clock, commitAll, settleHistory, take } = parts;
  const main = () => readMain(git.repositoryDir);

  async function describe(ref: WorkspaceRef): Promise<Output['workspaces'][number]> {
    const { name, commit, atMs, actor } = ref;
    const head = main();
    const range = head === null ? commit : `${head}...${commit}`;
    const out = await git.run(['rev-list', '--left-right', '--count', range, '--']);
    const [behind = 0, ahead = 0] = out.toString('latin1').trim().split('\t').map(Number);
    const changed = ahead === 0 ? 0 : (await readWorkspaceChanges({ git, reader }, head, commit)).length;
    const stale = atMs < clock.now() - staleMs;
    return { name, commit, ahead, behind, changed, updatedAt: isoTime(atMs), actor, stale };
  }

  async function show(name: string): Promise<Output> {
    return { workspaces: [await describe(await refs.find(name))] };
  }

  /** The commit that a workspace begins with. */
  async function startOf(from: string | undefined, name: string): Promise<string> {
    if (from === undefined) await commitAll();
    else await settleHistory();
    const moment = from === undefined ? undefined : await versions.resolve(from, { scope: 'any', key: name });
    const named = moment && 'atMs' in moment ? index.rows.versions.commitAt(moment.atMs) : moment?.commit;
    const commit = moment ? named : main();
    if (typeof commit === 'string') return commit;
    throw new AppError('INVALID_INPUT', {
      field: moment ? 'from' : 'action',
      problem: moment ? 'nothing was stored then' : 'there is nothing to work on yet; store something first',
    });
  }

  async function merge(name: string, strategy: MemoryInput<'workspace'>['strategy']): Promise<Merged> {
    const { tip } = refs.tipOf(name);
    const wish = strategy === undefined ? { refusesConflicts: true } : { strategy };
    const { kind, head, records = [] } = await take(tip, undefined, wish);
    return { kind, head, conflicts: [...records] };
  }

  async function drop(name: string, force: boolean): Promise<Output> {
    const { workspaces } = await show(name);
    const [found] = workspaces;
    if (!found) throw new AppError('INTERNAL');
    if (found.ahead > 0 && !force) {
      const problem = `would lose ${found.changed} changed memories that are not merged; merge it, or drop it with force`;
      throw new AppError('INVALID_INPUT', { field: 'force', problem });
    }
    await refs.drop(name, found.commit);
    return { workspaces };
  }

  return {
    async workspace({ action, name: given = '', from, strategy, force = false }) {
      const name = given.normalize('NFC');
      switch (action) {
        case 'create':
          await refs.create(name, await startOf(from, name));
          return show(name);
        case 'list': {
          const workspaces: Output['workspaces'] = [];
          for (const ref of await refs.list()) workspaces.push(await describe(ref));
          return { workspaces };
        }
        case 'diff': {
          await settleHistory();
          const shown = await show(name);
          const all = await readWorkspaceChanges({ git, reader }, main(), refs.tipOf(name).tip);
          return { ...shown, changes: all.slice(0, maxShown), omitted: Math.max(0, all.length - maxShown) };
        }
        case 'merge': {
          const merged = await merge(name, strategy);
          return { ...(await show(name)), merged };
        }
        case 'drop':
          return drop(name, force);
        default:
          await refs.undrop(name);
          return show(name);
      }
    },
  };
}
