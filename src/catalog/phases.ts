/**
 * The twenty phases in which 1,000 built-in instances are deployed, 50 at a time. Each phase has ports of its own, so
 * that what a phase brings does not depend on which were deployed before it.
 */

import { type HealthOptions, poolOptionsOf } from '../kernel/pool-options.ts';
import type { BuiltIn } from './built-in-servers.ts';
import { categories, portsOf } from './categories.ts';
import type { InstanceSpec } from './instance-spec.ts';
import { type BuiltInOptions, builtInSpec, type Slot, slotsOf } from './plan-built-ins.ts';

/** Some ports of a category: `count` from the place `from` on; places 50 to 99 are its extended range. */
export interface PhaseShare {
  readonly category: string;
  readonly from: number;
  readonly count: number;
}

export interface Phase {
  /** 1 to 20. */
  readonly phase: number;
  readonly title: string;
  readonly shares: readonly PhaseShare[];
}

/** Ten more of each of the five categories that nearly everyone needs. */
function coreShares(from: number): PhaseShare[] {
  return ['database', 'filesystem', 'api', 'version-control', 'system'].map((category) => ({
    category,
    from,
    count: 10,
  }));
}

function wholeRange(category: string, from: number): PhaseShare[] {
  return [{ category, from, count: 50 }];
}

const table: readonly Omit<Phase, 'phase'>[] = [
  { title: 'Core: databases, files, APIs, Git, monitoring', shares: coreShares(0) },
  { title: 'AI and machine learning', shares: wholeRange('ai-ml', 0) },
  { title: 'Developer tools', shares: wholeRange('devtools', 0) },
  { title: 'Communication', shares: wholeRange('communication', 0) },
  { title: 'Business', shares: wholeRange('business', 0) },
  { title: 'Internet of things', shares: wholeRange('iot', 0) },
  { title: 'More of the core, 11 to 20', shares: coreShares(10) },
  { title: 'More of the core, 21 to 30', shares: coreShares(20) },
  { title: 'More of the core, 31 to 40', shares: coreShares(30) },
  { title: 'More of the core, 41 to 50', shares: coreShares(40) },
  ...categories.map(({ name }) => ({ title: `Redundancy: ${name}`, shares: wholeRange(name, 50) })),
];

export const phases: readonly Phase[] = table.map((row, index) => ({ phase: index + 1, ...row }));

interface Place {
  readonly category: string;
  readonly port: number;
}

/** Where the instances of a phase go, in the order of its shares. */
export function placesOf({ shares }: Phase): Place[] {
  return shares.flatMap(({ category, from, count }) =>
    [...portsOf(category)].slice(from, from + count).map((port) => ({ category, port })),
  );
}

/** A built-in instance as it is written down: enough to make it again at the next start. */
export interface DeployedServer extends Place {
  readonly id: string;
  /** Of its definition. */
  readonly name: string;
}

/** Makes instances of places. */
export interface PhasePlanner {
  /** A built-in that has its own port is there; the others of a category take turns. */
  plan(phase: Phase): InstanceSpec[];
  /** The instance that was written down; undefined where its built-in is there no more. */
  again(server: DeployedServer): InstanceSpec | undefined;
}

export function createPhasePlanner(
  builtIns: readonly BuiltIn[],
  options: Readonly<Record<string, BuiltInOptions>>,
  health: HealthOptions,
): PhasePlanner {
  const byCategory = Map.groupBy(slotsOf(builtIns, options), ({ category }) => category);

  function toSpec(slot: Slot, port: number): InstanceSpec {
    const own = options[slot.builtIn.definition.name] ?? {};
    return { ...builtInSpec(slot, port, poolOptionsOf(own, health)), source: 'deployed' };
  }

  return {
    plan: (phase) =>
      placesOf(phase).flatMap(({ category, port }) => {
        const slots = byCategory.get(category) ?? [];
        const own = slots.find(({ builtIn }) => builtIn.definition.port === port);
        const slot = own ?? slots[port % slots.length];
        return slot ? [toSpec(slot, port)] : [];
      }),
    again({ name, category, port }) {
      const slot = byCategory.get(category)?.find(({ builtIn }) => builtIn.definition.name === name);
      return slot && toSpec(slot, port);
    },
  };
}
