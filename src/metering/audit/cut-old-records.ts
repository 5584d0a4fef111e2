/** Retention: whole days go from the beginning, and a record at the end says what is gone, with the hash it ended with. */

import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../kernel/clock.ts';
import type { AuditRecords } from '../../store/audit-records.ts';
import { chainRecords, type PrepareOptions, prepareRecord } from './encode-record.ts';
import { cutAction } from './verify-chain.ts';

const dayMs = 86_400_000;
/** Removed at a time: calls get their turn in between. */
const recordsAtOnce = 2000;

/** Removes what began on days (UTC) more than `retentionDays` ago; returns how many records. */
export async function cutOldRecords(
  records: AuditRecords,
  tenant: string,
  retentionDays: number,
  clock: Clock,
  options: PrepareOptions,
): Promise<number> {
  const today = Math.floor(clock.now() / dayMs);
  const since = new Date((today - retentionDays) * dayMs).toISOString();
  const head = await records.head(tenant);
  const keptFrom = (await records.firstSince(tenant, since)) ?? (head?.seq ?? 0) + 1;
  let removed = 0;
  for (;;) {
    const first = await records.first(tenant);
    if (first === undefined || first >= keptFrom) return removed;
    const seq = Math.min(first + recordsAtOnce, keptFrom) - 1;
    const [last] = await records.after(tenant, seq - 1, 1);
    if (last?.seq !== seq) return removed;
    const nowMs = clock.now();
    const record = prepareRecord(
      {
        atMs: nowMs,
        latencyMs: 0,
        way: 'coordinator',
        principal: { tenant, id: 'coordinator', role: 'owner' },
        action: cutAction,
        target: 'audit',
        outcome: 'ok',
        details: { seq, hash: last.hash, before: since },
      },
      options,
    );
    await records.append(tenant, (end) => chainRecords(end, [record]), seq);
    removed += seq - first + 1;
    await setImmediate();
  }
}
