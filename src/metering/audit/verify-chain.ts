/** Holds a chain against itself, against its end as the store has it, and against the signed checkpoints. */

import { createPublicKey } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { AuditFinding, AuditReport } from '../../contract/rest/audit-routes.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { type AuditRecords, type StoredAuditRecord, zeroHash } from '../../store/audit-records.ts';
import type { StoredCheckpoint } from '../../store/audit-checkpoints.ts';
import { isSignedBy } from './checkpoint-keys.ts';
import { chainHash } from './encode-record.ts';

export interface Witnesses {
  /** Beside the log. */
  readonly stored: readonly StoredCheckpoint[];
  /** From the Git memory; undefined where it was not looked at. */
  readonly kept: readonly StoredCheckpoint[] | undefined;
  /** True where the memory may have more. */
  readonly isPartial?: boolean | undefined;
  /** PEM; the data folder's own, where there is one. */
  readonly ownKey: string | undefined;
  /** PEM; those of the Git memory. */
  readonly publicKeys: readonly string[];
}

/** Actions of the log itself that a check goes by. */
export const cutAction = 'audit cut';

const pageSize = 500;
const maxFindings = 1000;

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

export async function verifyChain(
  records: Pick<AuditRecords, 'after' | 'head'>,
  tenant: string,
  witnesses: Witnesses,
): Promise<AuditReport> {
  const findings: AuditFinding[] = [];
  const find = (
    kind: AuditFinding['kind'],
    seq: number,
    problem: string,
    severity: AuditFinding['severity'] = 'error',
  ): void => {
    if (findings.length < maxFindings) findings.push({ severity, kind, seq, problem });
  };
  const trusted = trustedCheckpoints(tenant, witnesses, find);
  let first: StoredAuditRecord | undefined;
  let last: StoredAuditRecord | undefined;
  let lastCut: { readonly seq: number; readonly hash: string } | undefined;
  let count = 0;
  let checkpoints = 0;
  let signedTo = 0;

  function holdAgainstCheckpoint({ seq, hash }: { readonly seq: number; readonly hash: string }): void {
    for (const checkpoint of trusted.get(seq) ?? []) {
      if (checkpoint.hash === hash) {
        checkpoints += 1;
        signedTo = seq;
      } else {
        const span = `${signedTo + 1} to ${seq}`;
        find(
          'checkpoint',
          seq,
          `the signed checkpoint of ${checkpoint.at} has another hash: of the records ${span} some were changed`,
        );
      }
    }
  }

  function look(row: StoredAuditRecord): void {
    const fields = parsed(row.record);
    const expected = last ? last.seq + 1 : row.seq;
    if (row.seq !== expected) find('removed', expected, `records ${expected} to ${row.seq - 1} are missing`);
    if (fields['seq'] !== row.seq)
      find(
        'reordered',
        row.seq,
        `stands in the place ${row.seq} and says that it is ${JSON.stringify(fields['seq'])}`,
      );
    for (const name of ['at', 'principal', 'server', 'target', 'outcome'] as const)
      if (fields[name] !== row[name])
        find('edited', row.seq, `column ${name} says something else than the record`);
    if (fields['tenant'] !== tenant) find('edited', row.seq, 'the record names another tenant');
    const former = last ? last.hash : row.seq === 1 ? zeroHash : undefined;
    // After a gap there is nothing to hold it against, and the gap has been told.
    if (former !== undefined && row.seq === expected && chainHash(former, row.record) !== row.hash)
      find(
        'edited',
        row.seq,
        'its hash does not follow from its text and the record before it: one of the two was changed',
      );
    if (fields['action'] === cutAction && isJsonObject(fields['details'])) {
      const { seq, hash } = fields['details'];
      if (typeof seq === 'number' && typeof hash === 'string') lastCut = { seq, hash };
    }
    first ??= row;
    last = row;
    count += 1;
    holdAgainstCheckpoint(row);
  }

  for (;;) {
    const page = await records.after(tenant, last?.seq ?? 0, pageSize);
    for (const row of page) look(row);
    if (page.length > 0) {
      await setImmediate();
      continue;
    }
    const head = await records.head(tenant);
    const end = { seq: last?.seq ?? 0, hash: last?.hash ?? zeroHash };
    // Written since: a record and the end of its chain are written at once.
    if (head && head.seq > end.seq && (await records.after(tenant, end.seq, 1)).length > 0) continue;
    if (head && head.seq > end.seq) find('cut-off', end.seq, `the log ends here and had come to ${head.seq}`);
    else if ((head?.seq ?? 0) < end.seq)
      find('inserted', end.seq, `the log had come to ${head?.seq ?? 0} only`);
    else if (head && head.hash !== end.hash)
      find('edited', end.seq, 'the last record is not the one that was written last');
    break;
  }
  checkBeginning(first, lastCut, find);
  const lastSeq = last?.seq ?? 0;
  for (const [seq, [checkpoint]] of trusted)
    if (seq > lastSeq && checkpoint)
      find(
        'cut-off',
        lastSeq,
        `the log ends here, and the signed checkpoint of ${checkpoint.at} is of record ${seq}`,
      );
  const healthy = !findings.some(({ severity }) => severity === 'error');
  return {
    tenant,
    healthy,
    records: count,
    first: first?.seq ?? 0,
    last: lastSeq,
    checkpoints,
    signedTo,
    findings,
  };
}

type Find = (
  kind: AuditFinding['kind'],
  seq: number,
  problem: string,
  severity?: AuditFinding['severity'],
) => void;

/** Retention removes from the beginning, and a later record says what. */
function checkBeginning(
  first: StoredAuditRecord | undefined,
  cut: { readonly seq: number; readonly hash: string } | undefined,
  find: Find,
): void {
  if (!first || first.seq === 1) return;
  if (cut?.seq !== first.seq - 1)
    find('removed', 1, `records 1 to ${first.seq - 1} are missing, and no record says that they were cut`);
  else if (chainHash(cut.hash, first.record) !== first.hash)
    find('edited', first.seq, 'its hash does not follow from its text and the record that was cut before it');
}

/** By seq: those that the data folder's own key has signed. All others are told of, and go for nothing. */
function trustedCheckpoints(
  tenant: string,
  { stored, kept, isPartial = false, ownKey, publicKeys }: Witnesses,
  find: Find,
): Map<number, StoredCheckpoint[]> {
  const keys = ownKey === undefined ? publicKeys.filter(isPublicKey) : [ownKey];
  const trusted = new Map<number, StoredCheckpoint[]>();
  const isSigned = (checkpoint: StoredCheckpoint) =>
    checkpoint.tenant === tenant && keys.some((key) => isSignedBy(key, checkpoint));
  const inMemory = new Set(kept?.filter(isSigned).map(({ signature }) => signature));
  const isKnown = new Set<string>();
  for (const [place, checkpoints] of [
    ['beside the log', stored],
    ['in the memory', kept ?? []],
  ] as const)
    for (const checkpoint of checkpoints) {
      const { seq, signature } = checkpoint;
      if (!isSigned(checkpoint))
        find(
          'checkpoint',
          seq,
          `the checkpoint ${place} is not signed with a key that is trusted`,
          'warning',
        );
      else if (!isKnown.has(signature)) {
        isKnown.add(signature);
        trusted.set(seq, [...(trusted.get(seq) ?? []), checkpoint]);
        if (kept && !isPartial && !inMemory.has(signature))
          find('checkpoint', seq, 'the checkpoint is missing in the Git memory', 'warning');
      }
    }
  return trusted;
}

function isPublicKey(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}
