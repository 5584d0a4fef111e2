import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseOutdated } from './retention.ts';

const at = (time: string) => ({ id: time, atMs: Date.parse(time) });
const idsLeft = (times: readonly string[], keep: Parameters<typeof chooseOutdated>[1]) => {
  const backups = times.map(at);
  const gone = new Set(chooseOutdated(backups, keep));
  return backups.filter((backup) => !gone.has(backup)).map(({ id }) => id);
};

describe('retention', () => {
  const times = [
    '2026-11-21T18:00:00Z',
    '2026-11-21T06:00:00Z',
    '2026-11-20T23:59:59Z',
    '2026-11-20T00:00:00Z',
    '2026-11-16T00:00:00Z', // Monday of the same week.
    '2026-11-15T23:59:59Z', // Sunday of the week before.
    '2026-10-01T00:00:00Z',
  ];

  it('keeps the newest, by count, day and week', () => {
    expect(idsLeft(times, { last: 2, daily: 0, weekly: 0 })).toEqual(times.slice(0, 2));
    expect(idsLeft(times, { last: 1, daily: 3, weekly: 0 })).toEqual([times[0], times[2], times[4]]);
    expect(idsLeft(times, { last: 1, daily: 0, weekly: 3 })).toEqual([times[0], times[5], times[6]]);
  });

  it('never takes the newest, and never more for keeping more', () => {
    const backups = fc.uniqueArray(fc.integer({ min: 0, max: 2e12 }), { minLength: 1, maxLength: 40 });
    const count = fc.nat(5);
    const keep = fc.record({ last: count, daily: count, weekly: count });
    fc.assert(
      fc.property(backups, keep, (all, rule) => {
        const dated = all.map((atMs) => ({ id: String(atMs), atMs }));
        const gone = chooseOutdated(dated, rule).map(({ atMs }) => atMs);
        expect(gone).not.toContain(Math.max(...all));
        expect(all.length - gone.length).toBeLessThanOrEqual(
          Math.max(1, rule.last) + rule.daily + rule.weekly,
        );
        const more = chooseOutdated(dated, { ...rule, daily: rule.daily + 1 }).map(({ atMs }) => atMs);
        expect(gone).toEqual(expect.arrayContaining(more));
      }),
    );
  });
});
