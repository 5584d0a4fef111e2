/** What a check found. */

/** An error is damage or loss, a warning wants a look, a note is only worth knowing. */
export interface Finding {
  readonly severity: 'error' | 'warning' | 'note';
  /** The part and the place, e.g. `journal 0000000000000001.journal`. */
  readonly where: string;
  readonly problem: string;
  /** What to do. */
  readonly fix: string;
}

/** Findings of one kind are named one by one up to so many. */
export const maxNamed = 20;

/** Findings of one kind: the first ones by name, then how many more there are. */
export function limited(findings: readonly Finding[]): Finding[] {
  const [first] = findings;
  if (!first || findings.length <= maxNamed) return [...findings];
  const problem = `and ${findings.length - maxNamed} more like these`;
  return [...findings.slice(0, maxNamed), { ...first, where: first.where.split(' ')[0] ?? '', problem }];
}
