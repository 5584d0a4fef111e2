import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../kernel/clock.ts';
import { createDeadlines } from './deadlines.ts';

function setUp() {
  const clock = createFakeClock();
  const open = new Set<number>();
  const checks: number[] = [];
  const deadlines = createDeadlines(clock, (nowMs) => {
    checks.push(nowMs);
    for (const due of open) if (due <= nowMs) open.delete(due);
    return Math.min(Infinity, ...open);
  });
  const add = (dueAtMs: number) => {
    open.add(dueAtMs);
    deadlines.add(dueAtMs);
  };
  return { clock, open, checks, add };
}

describe('createDeadlines', () => {
  it('looks when the earliest is due, in whatever order they came', () => {
    const { clock, open, checks, add } = setUp();
    for (const due of [300, 100, 200]) add(due);
    clock.advance(250);
    expect([...open]).toEqual([300]);
    expect(checks).toEqual([100, 200]);
    clock.advance(100);
    expect([...open]).toEqual([]);
    clock.advance(1e9);
    expect(checks).toEqual([100, 200, 300]);
  });

  it('looks once for all that is gone by then, and begins anew', () => {
    const { clock, open, checks, add } = setUp();
    for (let due = 100; due < 200; due += 1) add(due);
    open.clear();
    clock.advance(1000);
    expect(checks).toEqual([100]);
    add(1500);
    clock.advance(500);
    expect(checks).toEqual([100, 1500]);
  });

  it('waits for what is farther away than a timer can be', () => {
    const { clock, open, add } = setUp();
    const monthMs = 30 * 24 * 3600 * 1000;
    add(monthMs);
    clock.advance(monthMs - 1);
    expect(open.size).toBe(1);
    clock.advance(1);
    expect(open.size).toBe(0);
  });

  it('takes what is due already', () => {
    const { clock, open, add } = setUp();
    clock.advance(50);
    add(10);
    clock.advance(0);
    expect(open.size).toBe(0);
  });
});
