import { describe, expect, it } from 'vitest';
import { drillRecovery } from './drill-recovery.ts';

describe('the recovery drill', () => {
  it('brings everything back that the source had, unaltered', { timeout: 120_000 }, async () => {
    const lines: string[] = [];
    const options = { rounds: 1, seconds: 2, everySeconds: 0.5, seed: 1 };
    const rounds = await drillRecovery(options, (line) => lines.push(line));
    expect(rounds.map(({ source }) => source)).toEqual(['backup', 'clone']);
    expect(lines).toHaveLength(2);
    for (const round of rounds) {
      expect(round.violations).toEqual([]);
      expect(round.acknowledged).toBeGreaterThan(50);
      expect(round.lostWrites).toBeLessThan(round.acknowledged);
      expect(round.firstReadSeconds).toBeGreaterThan(0);
    }
  });
});
