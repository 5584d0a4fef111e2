/** A policy of a plugin, held to what a policy must do: calls go on whatever it does. */

import { messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Member, PolicyMaker, SelectionPolicy } from '../../kernel/selection-policy.ts';
import { createRoundRobin } from './round-robin.ts';

/** Goes over to round-robin for good, with one line in the log, when the plugin throws or picks what it may not. */
export function guardPolicy<M extends Member>(
  name: string,
  make: PolicyMaker,
  logger: Logger,
): SelectionPolicy<M> {
  const fallback = createRoundRobin<M>();
  let own: SelectionPolicy<M> | undefined;
  let present: ReadonlySet<M> = new Set();

  function giveUp(problem: string): void {
    own = undefined;
    logger.error({ policy: name, problem }, 'a policy of a plugin failed: round-robin takes its place');
  }

  /** What the plugin says to it; undefined once it has failed. */
  function attempt<T>(task: (policy: SelectionPolicy<M>) => T): T | undefined {
    if (!own) return undefined;
    try {
      return task(own);
    } catch (error) {
      giveUp(`it threw: ${messageOf(error)}`);
      return undefined;
    }
  }

  try {
    own = make() as unknown as SelectionPolicy<M> | undefined;
    if (!own) giveUp('it made no policy');
  } catch (error) {
    giveUp(`it threw: ${messageOf(error)}`);
  }
  return {
    name,
    get isSticky() {
      return own?.isSticky === true;
    },
    setMembers(members) {
      present = new Set(members);
      fallback.setMembers(members);
      // Its own list: what it does to it is nobody else's business.
      attempt((policy) => policy.setMembers([...members]));
    },
    pick(key, except) {
      const picked = attempt((policy) => policy.pick(key, except));
      if (own && present.size > 0) {
        if (picked !== undefined && present.has(picked) && (picked !== except || present.size === 1))
          return picked;
        giveUp('it picked what is not there, or what was to be left out');
      }
      return fallback.pick(key, except);
    },
    loadChanged: (member) => attempt((policy) => policy.loadChanged?.(member)),
  };
}
