import { describe, expect, it } from 'vitest';
import { nextDueMs } from './schedule.ts';

const ms = (time: string) => Date.parse(time);
const due = (schedule: Parameters<typeof nextDueMs>[0], done: string | undefined, now: string) => {
  const at = nextDueMs(schedule, done === undefined ? undefined : ms(done), ms(now));
  return at === undefined ? undefined : new Date(at).toISOString();
};

describe('the schedule', () => {
  it('is not there unless asked for', () => {
    expect(due({}, undefined, '2026-01-01T00:00:00Z')).toBeUndefined();
  });

  it('begins at once, then goes by hours or by the time of the day, whichever comes first', () => {
    const done = '2026-01-01T10:00:00Z';
    expect(due({ everyHours: 6 }, undefined, done)).toBe('2026-01-01T10:00:00.000Z');
    expect(due({ everyHours: 6 }, done, done)).toBe('2026-01-01T16:00:00.000Z');
    expect(due({ at: '03:30' }, done, done)).toBe('2026-01-02T03:30:00.000Z');
    expect(due({ at: '10:01' }, done, done)).toBe('2026-01-01T10:01:00.000Z');
    expect(due({ at: '10:00' }, done, done)).toBe('2026-01-02T10:00:00.000Z');
    expect(due({ at: '10:01', everyHours: 6 }, done, done)).toBe('2026-01-01T10:01:00.000Z');
  });

  it('makes up for what was missed while nothing ran', () => {
    expect(due({ at: '03:30' }, '2026-01-01T10:00:00Z', '2026-01-09T00:00:00Z')).toBe(
      '2026-01-02T03:30:00.000Z',
    );
  });
});
