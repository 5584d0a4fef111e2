/** What is done to the servers while they are called. */

import type { Attendant, ControlRoom } from './control-room.ts';
import type { ChaosServer } from './fleet.ts';
import type { Judge } from './judge.ts';

export interface Faults {
  /** Does something bad to somebody. */
  strike(): void;
  /** Wakes all that sleep, makes nobody slow any more. */
  relent(): void;
}

type Target = 'stdio' | 'http' | 'host';

interface Kind {
  readonly name: string;
  readonly on: readonly Target[];
  /** How often it is chosen. */
  readonly weight: number;
  /** Calls under way are lost. */
  readonly isHarmful: boolean;
}

const kinds: readonly Kind[] = [
  { name: 'kill', on: ['stdio', 'http'], weight: 8, isHarmful: true },
  { name: 'pause', on: ['stdio', 'http'], weight: 6, isHarmful: false },
  { name: 'pause, then kill', on: ['stdio', 'http'], weight: 2, isHarmful: true },
  { name: 'slow', on: ['stdio', 'http'], weight: 4, isHarmful: false },
  { name: 'noise', on: ['stdio'], weight: 4, isHarmful: false },
  { name: 'deaf', on: ['stdio'], weight: 2, isHarmful: false },
  { name: 'spoil', on: ['stdio', 'http'], weight: 4, isHarmful: false },
  { name: 'broken-line', on: ['stdio'], weight: 3, isHarmful: false },
  { name: 'glue', on: ['stdio'], weight: 3, isHarmful: false },
  { name: 'half', on: ['stdio'], weight: 3, isHarmful: true },
  { name: 'half', on: ['http'], weight: 2, isHarmful: false },
  { name: 'close', on: ['stdio'], weight: 3, isHarmful: true },
  { name: 'huge', on: ['stdio'], weight: 0.3, isHarmful: true },
  { name: 'garbage', on: ['http'], weight: 2, isHarmful: false },
  { name: 'cut-stream', on: ['http'], weight: 2, isHarmful: false },
  { name: 'refuse', on: ['http'], weight: 2, isHarmful: false },
  { name: 'close', on: ['http'], weight: 2, isHarmful: false },
  { name: 'reset', on: ['http'], weight: 2, isHarmful: true },
  { name: 'forget', on: ['http'], weight: 3, isHarmful: false },
  { name: 'crash', on: ['host'], weight: 20, isHarmful: true },
  { name: 'spin', on: ['host'], weight: 3, isHarmful: false },
];

/** Between two faults of one unit, milliseconds: after one, it may be well again. */
const restMs: Readonly<Record<Target, number>> = { stdio: 8000, http: 8000, host: 15_000 };
const maxPauseMs = 3000;
const slowMs = 800;
const spinMs = 7000;

const targetOf = (unit: string): Target =>
  unit.startsWith('host') ? 'host' : unit.startsWith('http') ? 'http' : 'stdio';

export function createFaults(options: {
  readonly random: () => number;
  readonly room: ControlRoom;
  readonly judge: Judge;
  readonly units: readonly string[];
  /** What of a unit is there to be called now. */
  readonly serversOf: (unit: string) => readonly ChaosServer[];
  /** How long the faults go on. */
  readonly seconds: number;
}): Faults {
  const { random, room, judge } = options;
  const lastMs = new Map<string, number>();
  const paused = new Set<number>();
  const timers = new Set<NodeJS.Timeout>();
  let spins = 0;
  const startedAtMs = Date.now();

  function later(ms: number, task: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      task();
    }, ms);
    timers.add(timer);
  }

  function signal(pid: number, name: NodeJS.Signals): void {
    try {
      process.kill(pid, name);
    } catch {
      // It has gone meanwhile.
    }
  }

  function draw(target: Target): Kind {
    const isLate = Date.now() - startedAtMs > options.seconds * 400;
    const fit = kinds.filter(
      // What a huge line needs for a moment would hide in the second half whether memory grows.
      ({ on, name }) =>
        on.includes(target) && !(name === 'spin' && spins >= 2) && !(name === 'huge' && isLate),
    );
    let at = random() * fit.reduce((sum, { weight }) => sum + weight, 0);
    for (const kind of fit) if ((at -= kind.weight) < 0) return kind;
    return fit[0]!;
  }

  function pause(pid: number, forMs: number, then: () => void): void {
    signal(pid, 'SIGSTOP');
    paused.add(pid);
    later(forMs, () => {
      then();
      signal(pid, 'SIGCONT');
      paused.delete(pid);
    });
  }

  function run({ name, isHarmful }: Kind, unit: string, victim: Attendant): void {
    const ms = Math.round(200 + random() * maxPauseMs);
    const own = unit.startsWith('host') ? 'host' : unit;
    judge.fault(own, name, isHarmful);
    const { pid } = victim;
    if (name === 'kill') signal(pid, 'SIGKILL');
    else if (name === 'pause') pause(pid, ms, () => {});
    else if (name === 'pause, then kill')
      pause(pid, ms, () => {
        judge.fault(unit, 'killed after the pause', true);
        signal(pid, 'SIGKILL');
      });
    else if (name === 'slow') {
      victim.order({ do: 'slow', ms: slowMs });
      later(ms, () => victim.order({ do: 'slow', ms: 0 }));
    } else victim.order({ do: name, ms: name === 'spin' ? spinMs : ms });
    if (name === 'spin') spins += 1;
  }

  return {
    strike() {
      const now = Date.now();
      const candidates = options.units.filter(
        (unit) =>
          now - (lastMs.get(unit) ?? 0) > restMs[targetOf(unit)] &&
          // No call can survive one fault after the other, and on a busy machine they take their time.
          judge.isOver(unit, options.serversOf(unit)),
      );
      const unit = candidates[Math.floor(random() * candidates.length)];
      if (unit === undefined) return;
      const attendants = room.attendants(unit);
      const victim = attendants[Math.floor(random() * attendants.length)];
      if (!victim) return;
      lastMs.set(unit, now);
      run(draw(targetOf(unit)), unit, victim);
    },
    relent() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      for (const pid of paused) signal(pid, 'SIGCONT');
      paused.clear();
      for (const unit of options.units)
        if (targetOf(unit) !== 'host')
          for (const one of room.attendants(unit)) one.order({ do: 'slow', ms: 0 });
    },
  };
}
