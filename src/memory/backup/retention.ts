/** Which backups stay: the newest ones, the newest of each of the last days, and of each of the last weeks. */

export interface Keep {
  /** The newest so many. */
  readonly last: number;
  /** The newest of each of the newest so many days that have one, in UTC. */
  readonly daily: number;
  /** The newest of each of the newest so many weeks that have one; a week begins on Monday, in UTC. */
  readonly weekly: number;
}

export interface DatedBackup {
  readonly id: string;
  readonly atMs: number;
}

const dayMs = 86_400_000;
/** 1970-01-05 was a Monday. */
const mondayMs = 4 * dayMs;

/** The backups that no rule keeps. The newest always stays, whatever the rules say. */
export function chooseOutdated<Backup extends DatedBackup>(backups: readonly Backup[], keep: Keep): Backup[] {
  const newestFirst = backups.toSorted((a, b) => b.atMs - a.atMs || (a.id < b.id ? 1 : -1));
  const kept = new Set(newestFirst.slice(0, Math.max(1, keep.last)));
  const rules = [
    { count: keep.daily, period: ({ atMs }: Backup) => Math.floor(atMs / dayMs) },
    { count: keep.weekly, period: ({ atMs }: Backup) => Math.floor((atMs - mondayMs) / (7 * dayMs)) },
  ];
  for (const { count, period } of rules) {
    const newest = [...Map.groupBy(newestFirst, period).values()].map(([first]) => first);
    for (const backup of newest.slice(0, count)) if (backup) kept.add(backup);
  }
  return newestFirst.filter((backup) => !kept.has(backup));
}
