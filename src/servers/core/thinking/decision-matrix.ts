/** Weighted decision matrix: scores, ranking, and how far a weight must move before another option wins. */

import { z } from 'zod';
import { ToolError } from '../../../kernel/define-server.ts';

const nameShape = z.string().trim().min(1).max(200);

export const criterionInputShape = z.strictObject({
  name: nameShape.describe('Name of the criterion.'),
  weight: z.number().min(0).max(1000).describe('How much it counts relative to the others; any scale.'),
  minimum: z
    .number()
    .min(0)
    .max(10)
    .optional()
    .describe('An option that scores less is out, whatever its total.'),
});

export const optionInputShape = z.strictObject({
  name: nameShape.describe('Name of the option.'),
  scores: z
    .record(z.string(), z.number().min(0).max(10))
    .describe('Criterion name → score from 0 (worst) to 10 (best); for costs, cheap is 10.'),
  note: z.string().max(2000).optional().describe('Reasons for the scores.'),
});

const rowShape = z.object({
  option: z.string().describe('Name of the option.'),
  total: z.number().describe('Weighted mean of its scores, 0 to 10.'),
  rank: z.number().int().describe('1 is best; equal totals share a rank; options that are out come last.'),
  excludedBy: z.array(z.string()).describe('Criteria whose minimum it misses.'),
  dominatedBy: z.array(z.string()).describe('Options at least as good on every criterion and better on one.'),
});

const flipShape = z.object({
  criterion: z.string().describe('The criterion whose weight is moved.'),
  weight: z.number().describe('Its weight now.'),
  flipsAt: z.number().describe('The weight from which another option ties with the winner.'),
  changePercent: z
    .number()
    .nullable()
    .describe('That change relative to the weight now; null when it is 0 now.'),
  winner: z.string().describe('The option that would win beyond it.'),
});

export const matrixShape = z.object({
  title: z.string().describe('What was decided.'),
  criteria: z.array(criterionInputShape.strip()).describe('Criteria with weights.'),
  options: z.array(optionInputShape.strip()).describe('Options with scores.'),
  ranking: z.array(rowShape).describe('Options, best first.'),
  winner: z.string().nullable().describe('The one best option; null when there is a tie or all are out.'),
  margin: z.number().nullable().describe('Its lead over the next option, in points of the total.'),
  sensitivity: z
    .array(flipShape)
    .describe('Weights whose change would flip the result, smallest change first.'),
  robust: z
    .boolean()
    .describe('True when no single weight changed by up to a quarter makes another option win.'),
});

export type Criterion = z.output<typeof criterionInputShape>;
export type Option = z.output<typeof optionInputShape>;
export type Matrix = z.output<typeof matrixShape>;

const tieTolerance = 1e-9;
const robustPercent = 25;
const round = (value: number): number => Math.round(value * 10_000) / 10_000;

function assertUnique(field: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ToolError(`${field}: "${twice}" is there twice; names must be unique`);
}

function assertComplete(criteria: readonly Criterion[], options: readonly Option[]): void {
  assertUnique(
    'criteria',
    criteria.map((criterion) => criterion.name),
  );
  assertUnique(
    'options',
    options.map((option) => option.name),
  );
  if (criteria.every((criterion) => criterion.weight === 0)) {
    throw new ToolError('criteria: every weight is 0; give at least one a weight above 0');
  }
  const known = new Set(criteria.map((criterion) => criterion.name));
  for (const { name, scores } of options) {
    const missing = criteria.find((criterion) => !Object.hasOwn(scores, criterion.name));
    if (missing)
      throw new ToolError(`options: "${name}" has no score for "${missing.name}"; give one from 0 to 10`);
    const unknown = Object.keys(scores).find((criterion) => !known.has(criterion));
    if (unknown !== undefined) {
      throw new ToolError(
        `options: "${name}" has a score for "${unknown}", which is no criterion; criteria: ${[...known].join(', ')}`,
      );
    }
  }
}

const scoreOf = (option: Option, criterion: Criterion): number => option.scores[criterion.name] ?? 0;

function totalOf(option: Option, criteria: readonly Criterion[]): number {
  const weights = criteria.reduce((sum, criterion) => sum + criterion.weight, 0);
  return (
    criteria.reduce((sum, criterion) => sum + criterion.weight * scoreOf(option, criterion), 0) / weights
  );
}

function dominates(better: Option, worse: Option, criteria: readonly Criterion[]): boolean {
  const gaps = criteria.map((criterion) => scoreOf(better, criterion) - scoreOf(worse, criterion));
  return gaps.every((gap) => gap >= 0) && gaps.some((gap) => gap > 0);
}

/** How much a weight must change, in percent; a weight of 0 would have to change without bound. */
const sizeOf = (flip: { changePercent: number | null }): number =>
  Math.abs(flip.changePercent ?? Number.POSITIVE_INFINITY);

/** The nearest weight of each criterion at which a rival ties with the winner, all other weights kept. */
function flips(
  winner: Option,
  rivals: readonly Option[],
  criteria: readonly Criterion[],
): Matrix['sensitivity'] {
  const found: Matrix['sensitivity'] = [];
  for (const criterion of criteria) {
    const candidates = rivals.flatMap((rival) => {
      const lead = criteria.reduce((sum, c) => sum + c.weight * (scoreOf(winner, c) - scoreOf(rival, c)), 0);
      const slope = scoreOf(winner, criterion) - scoreOf(rival, criterion);
      const flipsAt = criterion.weight - lead / slope;
      return slope === 0 || flipsAt < 0 ? [] : [{ rival: rival.name, flipsAt }];
    });
    const nearest = candidates.sort(
      (a, b) => Math.abs(a.flipsAt - criterion.weight) - Math.abs(b.flipsAt - criterion.weight),
    )[0];
    if (!nearest) continue;
    const changePercent =
      criterion.weight === 0 ? null : ((nearest.flipsAt - criterion.weight) / criterion.weight) * 100;
    found.push({
      criterion: criterion.name,
      weight: criterion.weight,
      flipsAt: round(nearest.flipsAt),
      changePercent: changePercent === null ? null : round(changePercent),
      winner: nearest.rival,
    });
  }
  return found.sort((a, b) => sizeOf(a) - sizeOf(b));
}

/** Computes the matrix; ToolError names the option and criterion when a score is missing or unknown. */
export function decide(title: string, criteria: readonly Criterion[], options: readonly Option[]): Matrix {
  assertComplete(criteria, options);
  const rated = options.map((option) => ({
    option,
    total: totalOf(option, criteria),
    excludedBy: criteria
      .filter((c) => c.minimum !== undefined && scoreOf(option, c) < c.minimum)
      .map((c) => c.name),
  }));
  const isIn = (row: (typeof rated)[number]) => row.excludedBy.length === 0;
  rated.sort((a, b) => Number(isIn(b)) - Number(isIn(a)) || b.total - a.total);
  const rankOf = (row: (typeof rated)[number]) =>
    1 +
    rated.filter(
      (o) => (isIn(o) && !isIn(row)) || (isIn(o) === isIn(row) && o.total > row.total + tieTolerance),
    ).length;
  const [first, second] = rated.filter(isIn);
  const hasWinner =
    first !== undefined && (second === undefined || first.total - second.total > tieTolerance);
  const rivals = rated.filter((row) => isIn(row) && row !== first).map((row) => row.option);
  const sensitivity = hasWinner ? flips(first.option, rivals, criteria) : [];
  return {
    title,
    criteria: [...criteria],
    options: [...options],
    ranking: rated.map((row) => ({
      option: row.option.name,
      total: round(row.total),
      rank: rankOf(row),
      excludedBy: row.excludedBy,
      dominatedBy: options
        .filter((other) => dominates(other, row.option, criteria))
        .map((other) => other.name),
    })),
    winner: hasWinner ? first.option.name : null,
    margin: hasWinner && second ? round(first.total - second.total) : null,
    sensitivity,
    robust: hasWinner && sensitivity.every((flip) => sizeOf(flip) > robustPercent),
  };
}
