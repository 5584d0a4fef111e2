import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priorities, type Priority } from '../../kernel/pool-options.ts';
import { createWaitLine, type Waiter } from './wait-line.ts';

interface Numbered extends Waiter {
  readonly n: number;
}

const one = (n: number, priority: Priority = 'normal'): Numbered => ({ n, priority });

function serve(line: ReturnType<typeof createWaitLine<Numbered>>): Numbered | undefined {
  const next = line.first();
  if (next) line.remove(next, true);
  return next;
}

describe('a line of calls that wait', () => {
  it('keeps first come first served in a class, whatever comes, goes and is served', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), priority: fc.constantFrom(...priorities) }),
      fc.record({ kind: fc.constant('leave' as const), at: fc.nat() }),
      fc.record({ kind: fc.constant('serve' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 0, max: 30 }), (steps, max) => {
        const line = createWaitLine<Numbered>(max);
        // The same by plain arrays; who is pushed out is taken from the line and held against the rules.
        let waiting: Numbered[] = [];
        for (const [n, given] of steps.entries()) {
          if (given.kind === 'add') {
            const newcomer = one(n, given.priority);
            const out = line.add(newcomer);
            const isFull = waiting.length === max;
            expect(out !== undefined).toBe(isFull);
            waiting.push(newcomer);
            if (out) {
              expect(waiting.findLast(({ priority }) => priority === out.priority)).toBe(out);
              waiting = waiting.filter((other) => other !== out);
            }
          } else if (given.kind === 'leave') {
            const leaver = waiting[given.at % Math.max(waiting.length, 1)];
            if (!leaver) continue;
            line.remove(leaver);
            line.remove(leaver);
            waiting = waiting.filter((other) => other !== leaver);
          } else {
            const served = serve(line);
            expect(served).toBe(waiting.find(({ priority }) => priority === served?.priority));
            waiting = waiting.filter((other) => other !== served);
          }
          expect(line.size).toBe(waiting.length);
        }
      }),
    );
  });

  it('gives turns by weight: 16 urgent ones and 4 normal ones for each that can wait', () => {
    const line = createWaitLine<Numbered>(1000);
    for (let n = 0; n < 300; n += 1) line.add(one(n, priorities[n % 3]));
    const served = Array.from({ length: 42 }, () => serve(line)!.priority);
    const count = (priority: Priority) => served.filter((other) => other === priority).length;
    expect(priorities.map(count)).toEqual([32, 8, 2]);
  });

  it('lets nobody starve: a low one is served while urgent ones keep coming', () => {
    const line = createWaitLine<Numbered>(100);
    const patient = one(-1, 'low');
    for (let n = 0; n < 50; n += 1) line.add(one(n, 'high'));
    line.add(patient);
    let turns = 0;
    while (patient.isWaiting) {
      serve(line);
      line.add(one(100 + turns, 'high'));
      turns += 1;
    }
    expect(turns).toBeLessThanOrEqual(22);
  });

  it('saves no turns up for a class that was empty', () => {
    const line = createWaitLine<Numbered>(1000);
    for (let n = 0; n < 400; n += 1) line.add(one(n, 'low'));
    for (let n = 0; n < 100; n += 1) serve(line);
    for (let n = 0; n < 100; n += 1) line.add(one(n, 'high'));
    const served = Array.from({ length: 36 }, () => serve(line)!.priority);
    expect(served.filter((priority) => priority === 'low')).toHaveLength(2);
  });

  it('when full, gives a place to who has less than his share, from the least urgent with more', () => {
    const line = createWaitLine<Numbered>(21);
    for (let n = 0; n < 21; n += 1) expect(line.add(one(n, 'low'))).toBeUndefined();
    // Shares are 16, 4 and 1: the urgent push out the newest of those who can wait, down to the last one.
    const outs = Array.from({ length: 21 }, (_, n) => line.add(one(100 + n, 'high'))!.n);
    expect(outs.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, n) => 20 - n));
    expect(outs[20]).toBe(120);
    // And the others get their share back in their turn.
    expect(line.add(one(200, 'normal'))!.priority).toBe('high');
    expect(line.add(one(201, 'low'))!.n).toBe(201);
  });

  it('holds nobody when it has no places', () => {
    const line = createWaitLine<Numbered>(0);
    const newcomer = one(1, 'high');
    expect(line.add(newcomer)).toBe(newcomer);
    expect(line.first()).toBeUndefined();
  });
});
