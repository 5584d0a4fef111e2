import { describe, expect, it } from 'vitest';
import { defaultSelection } from '../kernel/pool-options.ts';
import { type Candidate, createBalancer, type Fitness } from './balancer.ts';

interface Fake extends Candidate {
  fitness: Fitness;
  warmth: number;
}

function setUp(...fitness: Fitness[]) {
  const said: boolean[] = [];
  let drawn = 0;
  const members = fitness.map((own, n): Fake => {
    return { id: `m${n}`, inFlight: 0, latencyMs: 0, fitness: own, warmth: 1 };
  });
  const balancer = createBalancer<Fake>({
    ...defaultSelection,
    onFailOpen: (isOpen) => said.push(isOpen),
    draw: (below) => (drawn = (drawn + 1) % below),
  });
  balancer.setMembers(members);
  const picked = (count = 20) => new Set(Array.from({ length: count }, () => balancer.pick()?.id));
  return { balancer, members, said, picked };
}

describe('a balancer', () => {
  it('gives nothing to a sick member while there is a fit one', () => {
    const { picked } = setUp('sick', 'fit', 'down', 'fit', 'coming', 'out');
    expect(picked()).toEqual(new Set(['m1', 'm3']));
  });

  it('would rather wait for one that is coming than use a sick one', () => {
    expect(setUp('sick', 'coming', 'down').picked()).toEqual(new Set(['m1']));
  });

  it('fails open when all are sick, says so, and says when that is over', () => {
    const { balancer, members, said, picked } = setUp('sick', 'sick', 'out');
    expect(picked()).toEqual(new Set(['m0', 'm1']));
    expect([balancer.isFailingOpen, said]).toEqual([true, [true]]);
    members[1]!.fitness = 'fit';
    balancer.fitnessChanged();
    expect(picked()).toEqual(new Set(['m1']));
    expect([balancer.isFailingOpen, said]).toEqual([false, [true, false]]);
  });

  it('picks none that is out', () => {
    const { balancer } = setUp('out', 'out');
    expect([balancer.pick(), balancer.fitness]).toEqual([undefined, 'out']);
  });

  it('gives a member that is not warm yet the smaller share', () => {
    const { balancer, members } = setUp('fit', 'fit');
    members[0]!.warmth = 0.1;
    const picks = Array.from({ length: 1000 }, () => balancer.pick()?.id);
    const cold = picks.filter((id) => id === 'm0').length;
    expect(cold).toBeGreaterThan(20);
    expect(cold).toBeLessThan(150);
    members[0]!.warmth = 1;
    const warm = Array.from({ length: 1000 }, () => balancer.pick()?.id).filter((id) => id === 'm0').length;
    expect(warm).toBe(500);
  });
});
