/**
 * Holds child processes to their limits. One look at all processes of the machine serves every child, and nobody looks
 * while no child has a limit. Between two looks a process may use more.
 */

import { type Clock, systemClock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import { messageOf } from '../../kernel/errors.ts';
import { listUsage, type ProcessUsage, countOpenFiles } from './process-usage.ts';

export interface WatchedChild {
  readonly server: string;
  /** Leader of its own group. */
  readonly pid: number;
  /** Most resident memory of its tree, bytes. */
  readonly memoryBytes?: number | undefined;
  /** Most open files of each process of its tree, where the operating system does not see to it. */
  readonly openFiles?: number | undefined;
  readonly onOver: (problem: string) => void;
}

export interface ProcessWatch {
  /** The returned function ends the watch. */
  add(child: WatchedChild): () => void;
}

/** A look at all processes takes PowerShell most of a second. */
const defaultIntervalMs = process.platform === 'win32' ? 15_000 : 2000;

export function createProcessWatch(options: {
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly intervalMs?: number | undefined;
}): ProcessWatch {
  const { logger, clock = systemClock, intervalMs = defaultIntervalMs } = options;
  const watched = new Set<WatchedChild>();
  let cancel: (() => void) | undefined;
  let hasWarned = false;

  function lookLater(): void {
    cancel = clock.after(intervalMs, () => {
      void look().finally(() => {
        cancel = undefined;
        if (watched.size > 0) lookLater();
      });
    });
  }

  async function look(): Promise<void> {
    try {
      const trees = treesOf(await listUsage(), [...watched]);
      for (const [child, members] of trees) {
        const problem = await findExcess(child, members);
        if (problem === undefined || !watched.delete(child)) continue;
        logger.warn(
          { server: child.server, pid: child.pid, problem },
          'a server went over its limit and is ended',
        );
        child.onOver(problem);
      }
    } catch (error) {
      if (!hasWarned) logger.warn({ problem: messageOf(error) }, 'could not look at what servers use');
      hasWarned = true;
    }
  }

  return {
    add(child) {
      if (child.openFiles !== undefined && process.platform !== 'linux')
        logger.warn(
          { server: child.server },
          'limits.openFiles is not held here: only Linux tells and limits it',
        );
      watched.add(child);
      if (cancel === undefined) lookLater();
      return () => {
        watched.delete(child);
        if (watched.size > 0) return;
        cancel?.();
        cancel = undefined;
      };
    },
  };
}

/** Each child with its process, its descendants and the members of its group. What left both is not seen. */
function treesOf(
  processes: readonly ProcessUsage[],
  children: readonly WatchedChild[],
): Map<WatchedChild, ProcessUsage[]> {
  const byParent = Map.groupBy(processes, ({ parent }) => parent);
  const byGroup = Map.groupBy(processes, ({ group }) => group);
  const byPid = new Map(processes.map((one) => [one.pid, one]));
  const trees = new Map<WatchedChild, ProcessUsage[]>();
  for (const child of children) {
    const members = new Set(byGroup.get(child.pid));
    const leader = byPid.get(child.pid);
    if (leader) members.add(leader);
    // A set goes on with what is added to it on the way.
    for (const member of members) for (const one of byParent.get(member.pid) ?? []) members.add(one);
    trees.set(child, [...members]);
  }
  return trees;
}

const mib = 1024 * 1024;

async function findExcess(
  child: WatchedChild,
  members: readonly ProcessUsage[],
): Promise<string | undefined> {
  const { memoryBytes, openFiles } = child;
  if (memoryBytes !== undefined) {
    const used = members.reduce((sum, one) => sum + one.memoryBytes, 0);
    if (used > memoryBytes) {
      const tree = members.length === 1 ? 'it uses' : `it and its ${members.length - 1} processes use`;
      return `${tree} ${Math.ceil(used / mib)} MiB of memory; limits.memoryMb is ${memoryBytes / mib}`;
    }
  }
  if (openFiles === undefined) return undefined;
  for (const { pid } of members) {
    const count = await countOpenFiles(pid);
    if (count !== undefined && count > openFiles)
      return `it has ${count} files open; limits.openFiles is ${openFiles}`;
  }
  return undefined;
}
