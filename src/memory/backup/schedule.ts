/** When the next backup is due. */

export interface Schedule {
  readonly everyHours?: number | undefined;
  /** `HH:MM` in UTC. */
  readonly at?: string | undefined;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Due time in milliseconds since the Unix epoch, in the past for one that was missed; undefined without a schedule. */
export function nextDueMs(
  schedule: Schedule,
  doneAtMs: number | undefined,
  nowMs: number,
): number | undefined {
  const { everyHours, at } = schedule;
  if (everyHours === undefined && at === undefined) return undefined;
  if (doneAtMs === undefined) return nowMs;
  const due: number[] = [];
  if (everyHours !== undefined) due.push(doneAtMs + everyHours * hourMs);
  if (at !== undefined) {
    const [hours = 0, minutes = 0] = at.split(':').map(Number);
    const inDayMs = hours * hourMs + minutes * 60_000;
    const sameDayMs = Math.floor(doneAtMs / dayMs) * dayMs + inDayMs;
    due.push(sameDayMs > doneAtMs ? sameDayMs : sameDayMs + dayMs);
  }
  return Math.min(...due);
}
