import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToolError } from '../../../kernel/define-server.ts';
import { decide } from './decision-matrix.ts';

const laptops = [
  { name: 'light', scores: { weight: 9, price: 4 } },
  { name: 'cheap', scores: { weight: 5, price: 9 } },
];

describe('decide', () => {
  it('ranks by weighted mean and finds the weight at which the other wins', () => {
    const matrix = decide(
      'laptop',
      [
        { name: 'weight', weight: 3 },
        { name: 'price', weight: 1 },
      ],
      laptops,
    );
    // light: (3*9+4)/4 = 7.75; cheap: (3*5+9)/4 = 6. They tie where 4w = 5p.
    expect(matrix.ranking.map(({ option, total, rank }) => ({ option, total, rank }))).toEqual([
      { option: 'light', total: 7.75, rank: 1 },
      { option: 'cheap', total: 6, rank: 2 },
    ]);
    expect(matrix).toMatchObject({ winner: 'light', margin: 1.75, robust: true });
    expect(matrix.sensitivity).toEqual([
      { criterion: 'weight', weight: 3, flipsAt: 1.25, changePercent: -58.3333, winner: 'cheap' },
      { criterion: 'price', weight: 1, flipsAt: 2.4, changePercent: 140, winner: 'cheap' },
    ]);
  });

  it('calls a result sensitive when a small change of a weight flips it', () => {
    const criteria = [
      { name: 'weight', weight: 1.3 },
      { name: 'price', weight: 1 },
    ];
    expect(decide('laptop', criteria, laptops)).toMatchObject({ winner: 'light', robust: false });
  });

  it('puts out what misses a minimum, and names what is dominated', () => {
    const matrix = decide(
      'db',
      [
        { name: 'safety', weight: 1, minimum: 5 },
        { name: 'speed', weight: 5 },
      ],
      [
        { name: 'fast', scores: { safety: 2, speed: 10 } },
        { name: 'sound', scores: { safety: 9, speed: 6 } },
        { name: 'poor', scores: { safety: 9, speed: 5 } },
      ],
    );
    expect(matrix.winner).toBe('sound');
    expect(matrix.ranking).toMatchObject([
      { option: 'sound', rank: 1, excludedBy: [], dominatedBy: [] },
      { option: 'poor', rank: 2, dominatedBy: ['sound'] },
      { option: 'fast', rank: 3, excludedBy: ['safety'] },
    ]);
  });

  it('names no winner on a tie or when all are out', () => {
    const tie = [
      { name: 'a', scores: { x: 5 } },
      { name: 'b', scores: { x: 5 } },
    ];
    expect(decide('t', [{ name: 'x', weight: 1 }], tie)).toMatchObject({
      winner: null,
      margin: null,
      robust: false,
      ranking: [{ rank: 1 }, { rank: 1 }],
    });
    expect(decide('t', [{ name: 'x', weight: 1, minimum: 6 }], tie).winner).toBeNull();
  });

  it.each([
    ['a missing score', [{ name: 'a', scores: {} }], '"a" has no score for "x"'],
    [
      'an unknown criterion',
      [{ name: 'a', scores: { x: 1, y: 1 } }],
      'a score for "y", which is no criterion',
    ],
    [
      'a name that is there twice',
      [
        { name: 'a', scores: { x: 1 } },
        { name: 'a', scores: { x: 2 } },
      ],
      'options: "a" is there twice',
    ],
  ])('refuses %s', (_, options, message) => {
    const work = () => decide('t', [{ name: 'x', weight: 1 }], options as never);
    expect(work).toThrow(ToolError);
    expect(work).toThrow(message);
  });

  it('refuses weights that are all 0', () => {
    expect(() =>
      decide(
        't',
        [
          { name: 'weight', weight: 0 },
          { name: 'price', weight: 0 },
        ],
        laptops,
      ),
    ).toThrow('every weight is 0');
  });

  it('holds what it says: just beyond flipsAt the named option wins, just before it does not', () => {
    const score = fc.integer({ min: 0, max: 10 });
    const weight = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(
        fc.array(weight, { minLength: 2, maxLength: 4 }),
        fc.infiniteStream(score),
        (weights, scores) => {
          const criteria = weights.map((weight, index) => ({ name: `c${index}`, weight }));
          const options = ['a', 'b', 'c'].map((name) => ({
            name,
            scores: Object.fromEntries(
              criteria.map((criterion) => [criterion.name, scores.next().value as number]),
            ),
          }));
          const matrix = decide('t', criteria, options);
          for (const flip of matrix.sensitivity) {
            const direction = Math.sign(flip.flipsAt - flip.weight);
            const winnerAt = (moved: number) =>
              decide(
                't',
                criteria.map((c) => (c.name === flip.criterion ? { ...c, weight: moved } : c)),
                options,
              ).winner;
            expect(winnerAt(flip.flipsAt - direction * 0.001)).toBe(matrix.winner);
            if (flip.flipsAt + direction * 0.001 >= 0) {
              expect(winnerAt(flip.flipsAt + direction * 0.001)).not.toBe(matrix.winner);
            }
          }
        },
      ),
    );
  });
});
