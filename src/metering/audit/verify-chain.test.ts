import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainOf, eventOf, openTestAudit, prepare } from '../../../test/fixtures/audit-store.ts';
import type { StoredAuditRecord } from '../../store/audit-records.ts';
import { type CheckpointKey, isSignedBy, openCheckpointKey } from './checkpoint-keys.ts';
import { cutOldRecords } from './cut-old-records.ts';
import { boundedText, chainHash, chainRecords, prepareRecord } from './encode-record.ts';
import { verifyChain, type Witnesses } from './verify-chain.ts';

const nobody: Witnesses = { stored: [], kept: undefined, ownKey: undefined, publicKeys: [] };
type Rows = readonly StoredAuditRecord[];

function check(rows: Rows, head = rows.at(-1), witnesses = nobody) {
  const reader = {
    after: async (_tenant: string, seq: number, limit: number) =>
      rows
        .filter((row) => row.seq > seq)
        .sort((a, b) => a.seq - b.seq)
        .slice(0, limit),
    head: async () => head && { seq: head.seq, hash: head.hash },
  };
  return verifyChain(reader, 'default', witnesses);
}

/** Makes the hashes of a chain right again, as whoever changed it would. */
function rehash(rows: Rows): StoredAuditRecord[] {
  let former = '0'.repeat(64);
  return rows.map((row) => ({ ...row, hash: (former = chainHash(former, row.record)) }));
}

const count = 12;
const rows = chainOf(count);
const anyAt = fc.integer({ min: 0, max: count - 1 });

describe('a chain', () => {
  it('is whole as it was written', async () => {
    expect(await check(rows)).toMatchObject({
      healthy: true,
      records: count,
      first: 1,
      last: count,
      findings: [],
    });
    expect(await check([], undefined)).toMatchObject({ healthy: true, records: 0 });
  });

  it('shows every edit of a character', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyAt,
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        async (at, where, other) => {
          const { record } = rows[at]!;
          const place = where % record.length;
          const edited = record.slice(0, place) + other + record.slice(place + 1);
          fc.pre(edited !== record);
          const report = await check(rows.with(at, { ...rows[at]!, record: edited }));
          expect(report.findings.map(({ seq }) => seq)).toContain(at + 1);
          expect(report.healthy).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('shows every edit whose own hash was made anew', async () => {
    await fc.assert(
      fc.asyncProperty(anyAt, async (at) => {
        const record = rows[at]!.record.replace('"ok"', '"error"');
        const former = rows[at - 1]?.hash ?? '0'.repeat(64);
        const edited = { ...rows[at]!, record, outcome: 'error', hash: chainHash(former, record) };
        const { healthy, findings } = await check(rows.with(at, edited), rows.at(-1));
        expect(healthy).toBe(false);
        // Where it shows is the next one, or the end.
        expect(findings[0]).toMatchObject({ kind: 'edited', seq: Math.min(at + 2, count) });
      }),
    );
  });

  it('shows every record that is removed, with its place', async () => {
    await fc.assert(
      fc.asyncProperty(anyAt, async (at) => {
        const { findings } = await check(rows.toSpliced(at, 1), rows.at(-1));
        const kind = at === count - 1 ? 'cut-off' : 'removed';
        expect(findings).toContainEqual(
          expect.objectContaining({ severity: 'error', kind, seq: at === count - 1 ? at : at + 1 }),
        );
      }),
    );
  });

  it('shows every two records that change places', async () => {
    await fc.assert(
      fc.asyncProperty(anyAt, anyAt, async (a, b) => {
        fc.pre(a !== b);
        const swapped = rows.with(a, { ...rows[b]!, seq: a + 1 }).with(b, { ...rows[a]!, seq: b + 1 });
        for (const one of [swapped, rehash(swapped)]) {
          const { findings } = await check(one);
          const moved = findings.filter(({ kind }) => kind === 'reordered').map(({ seq }) => seq);
          expect(moved).toEqual([a + 1, b + 1].sort((x, y) => x - y));
        }
      }),
    );
  });

  it('shows a record that is put in, in the middle or at the end', async () => {
    const more = chainRecords(rows.at(-1)!, [prepareRecord(eventOf('put in'), prepare)]);
    expect((await check([...rows, ...more], rows.at(-1))).findings).toEqual([
      expect.objectContaining({ kind: 'inserted', seq: count + 1 }),
    ]);
    const moved = rows.map((row, at) => ({ ...row, seq: at < 5 ? row.seq : row.seq + 1 }));
    const inserted = rehash(moved.toSpliced(5, 0, { ...more[0]!, seq: 6 }));
    expect((await check(inserted)).healthy).toBe(false);
  });

  it('shows a column that says something else than the record', async () => {
    for (const change of [
      { outcome: 'error' },
      { principal: null },
      { target: 'x' },
      { server: 'x' },
      { at: 'x' },
    ]) {
      const { findings } = await check(rows.with(3, { ...rows[3]!, ...change }));
      expect(findings).toEqual([expect.objectContaining({ kind: 'edited', seq: 4 })]);
    }
  });
});

const own = generateKeyPairSync('ed25519');
const foreign = generateKeyPairSync('ed25519');
const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

async function keyIn(folder: string): Promise<CheckpointKey> {
  return await openCheckpointKey(folder);
}

describe('a checkpoint', () => {
  async function withKey(work: (key: CheckpointKey, dataDir: string) => Promise<void>): Promise<void> {
    const dataDir = await mkdtemp(join(tmpdir(), 'audit-key-'));
    try {
      await work(await keyIn(dataDir), dataDir);
    } finally {
      await rm(dataDir, { recursive: true });
    }
  }
  const signed = (key: CheckpointKey, { seq, hash }: { seq: number; hash: string }) => {
    const unsigned = { tenant: 'default', seq, hash, at: '2026-01-01T00:00:00.000Z', keyId: key.id };
    return { ...unsigned, signature: key.sign(unsigned) };
  };

  it('shows a chain that was made anew from one record on, and up to where it is right', () =>
    withKey(async (key) => {
      const stored = [4, 8, 12].map((seq) => signed(key, rows[seq - 1]!));
      const witnesses = { stored, kept: stored, ownKey: key.publicKey, publicKeys: [] };
      expect(await check(rows, rows.at(-1), witnesses)).toMatchObject({
        healthy: true,
        checkpoints: 3,
        signedTo: 12,
      });
      const record = rows[5]!.record.replace('"ok"', '"error"');
      const forged = rehash(rows.with(5, { ...rows[5]!, record, outcome: 'error' }));
      expect((await check(forged)).healthy).toBe(true);
      const { findings, signedTo } = await check(forged, forged.at(-1), witnesses);
      expect(signedTo).toBe(4);
      expect(findings.map(({ kind, seq }) => [kind, seq])).toEqual([
        ['checkpoint', 8],
        ['checkpoint', 12],
      ]);
      expect(findings[0]?.problem).toContain('5 to 8');
    }));

  it('shows a chain that was cut off with its end made right', () =>
    withKey(async (key) => {
      const stored = [signed(key, rows[9]!)];
      const witnesses = { stored: [], kept: stored, ownKey: key.publicKey, publicKeys: [] };
      const cut = rows.slice(0, 7);
      const { findings } = await check(cut, cut.at(-1), witnesses);
      expect(findings).toEqual([expect.objectContaining({ kind: 'cut-off', seq: 7 })]);
    }));

  it('goes for nothing when somebody else has signed it, and is missed when it is not in the memory', () =>
    withKey(async (key) => {
      const good = signed(key, rows[3]!);
      const keyId = key.id;
      const lie = { ...good, hash: 'f'.repeat(64) };
      const alien = {
        ...lie,
        keyId,
        signature: sign(null, Buffer.from('x'), foreign.privateKey).toString('base64'),
      };
      const publicKeys = [pemOf(foreign.publicKey), pemOf(own.publicKey)];
      const witnesses = { stored: [good], kept: [lie, alien], ownKey: key.publicKey, publicKeys };
      const report = await check(rows, rows.at(-1), witnesses);
      expect(report).toMatchObject({ healthy: true, checkpoints: 1 });
      expect(report.findings.map(({ severity }) => severity)).toEqual(['warning', 'warning', 'warning']);
      expect(isSignedBy('nonsense', good)).toBe(false);
    }));

  it('is signed with a key that stays, for its owner only', () =>
    withKey(async (key, dataDir) => {
      expect((await keyIn(dataDir)).id).toBe(key.id);
      if (process.platform !== 'win32')
        expect((await stat(join(dataDir, 'audit-key.pem'))).mode & 0o777).toBe(0o600);
    }));
});

describe('retention', () => {
  const dayMs = 86_400_000;

  it('removes whole days, and what is left is whole; who removes more is found', async () => {
    await using test = await openTestAudit();
    const { records } = test.store;
    const today = Math.floor(test.clock.now() / dayMs) * dayMs;
    for (let day = 9; day >= 0; day -= 1)
      await records.append('default', (head) =>
        chainRecords(
          head,
          [0, 1, 2].map((n) =>
            prepareRecord(eventOf(`${day}.${n}`, { atMs: today - day * dayMs + n }), prepare),
          ),
        ),
      );
    expect(await cutOldRecords(records, 'default', 30, test.clock, prepare)).toBe(0);
    expect(await cutOldRecords(records, 'default', 4, test.clock, prepare)).toBe(15);
    expect(await verifyChain(records, 'default', nobody)).toMatchObject({
      healthy: true,
      first: 16,
      findings: [],
    });
    test.clock.advance(2 * dayMs);
    expect(await cutOldRecords(records, 'default', 4, test.clock, prepare)).toBe(6);
    expect(await verifyChain(records, 'default', nobody)).toMatchObject({ healthy: true, first: 22 });
    await records.append('default', () => [], 22);
    expect((await verifyChain(records, 'default', nobody)).findings).toEqual([
      expect.objectContaining({ kind: 'removed', seq: 1 }),
    ]);
  });

  it('may remove everything but the record that says so', async () => {
    await using test = await openTestAudit();
    const { records } = test.store;
    await records.append('default', (head) => chainRecords(head, [prepareRecord(eventOf('old'), prepare)]));
    expect(await cutOldRecords(records, 'default', 1, test.clock, prepare)).toBe(1);
    expect(await verifyChain(records, 'default', nobody)).toMatchObject({
      healthy: true,
      records: 1,
      first: 2,
    });
  });
});

it('keeps any text that a caller chooses in a form that the store gives back', async () => {
  await using test = await openTestAudit();
  const texts = fc.sample(
    fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 700 }),
    100,
  );
  for (const text of [...texts, '\0', '\ud800', 'ก'.repeat(2000)])
    test.writer.note(eventOf(text, { server: text, arguments: { text }, details: { text } }));
  await test.writer.flush();
  expect((await verifyChain(test.store.records, 'default', nobody)).findings).toEqual([]);
  expect((await test.all()).every(({ target }) => target.length <= 500)).toBe(true);
  expect(boundedText('ก'.repeat(2000))).toHaveLength(500);
});
