/** The audit log as it is read: found, told, checked. */

import type { AuditFilter, AuditPage } from '../../store/audit-records.ts';
import type { StoredCheckpoint } from '../../store/audit-checkpoints.ts';
import type { AuditStore } from '../../store/open-audit-store.ts';
import { type AuditItem, auditItemShape, type AuditReport } from '../../contract/rest/audit-routes.ts';
import type { KeptCheckpoints } from './read-checkpoints.ts';
import { verifyChain } from './verify-chain.ts';

export interface AuditLog {
  find(
    tenant: string,
    filter: AuditFilter,
    page: AuditPage,
  ): Promise<{ readonly items: AuditItem[]; readonly nextCursor?: string }>;
  verify(tenant: string): Promise<AuditReport>;
}

export interface AuditLogOptions {
  readonly store: AuditStore;
  /** PEM. */
  readonly ownKey: string | undefined;
  /** Looks into the Git memory; undefined where it cannot be read. */
  readonly readKept: (tenant: string) => Promise<KeptCheckpoints | undefined>;
  /** Keeps records from being removed while they are checked. */
  readonly inTurn?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Writes what waits. */
  readonly settle?: () => Promise<void>;
}

const pageSize = 1000;

async function storedCheckpoints({ checkpoints }: AuditStore, tenant: string): Promise<StoredCheckpoint[]> {
  const all: StoredCheckpoint[] = [];
  for (;;) {
    const page = await checkpoints.after(tenant, all.at(-1)?.seq ?? 0, pageSize);
    all.push(...page);
    if (page.length < pageSize) return all;
  }
}

export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { store, ownKey, readKept, inTurn = (work) => work(), settle } = options;
  return {
    async find(tenant, filter, page) {
      await settle?.();
      const rows = await store.records.find(tenant, filter, page);
      const last = rows.length === page.limit ? rows.at(-1) : undefined;
      return {
        // A record that somebody has spoiled is shown as what its columns say; `verify` finds it.
        items: rows.map(({ record, hash, ...row }) => toItem(record, { ...row, tenant, hash })),
        ...(last && { nextCursor: String(last.seq) }),
      };
    },
    verify: (tenant) =>
      inTurn(async () => {
        const kept = await readKept(tenant);
        return await verifyChain(store.records, tenant, {
          stored: await storedCheckpoints(store, tenant),
          kept: kept?.checkpoints,
          isPartial: kept?.isPartial,
          ownKey,
          publicKeys: kept?.publicKeys ?? [],
        });
      }),
  };
}

function toItem(text: string, known: Readonly<Record<string, unknown>>): AuditItem {
  try {
    const item = auditItemShape.safeParse({ ...JSON.parse(text), hash: known['hash'] });
    if (item.success) return item.data;
  } catch {
    // Not even JSON any more.
  }
  const unknown = { latencyMs: 0, way: 'coordinator', role: null, action: 'unreadable', digest: null };
  const rest = { code: null, requestId: null, config: '', definition: null };
  return { ...unknown, ...rest, ...known } as AuditItem;
}
