import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type QuotaWrite, createQuotas } from './quotas.ts';
import type { WriteRecord } from './write-record.ts';

const failing = (code: string) => expect.objectContaining({ code });

function write(seq: number, scope: string, bytes: number | null, heldBytes: number | null): QuotaWrite {
  const record: WriteRecord = {
    seq,
    op: 'store',
    scope,
    key: 'k',
    path: 'p',
    removePaths: [],
    etag: null,
    content: bytes === null ? null : new Uint8Array(bytes),
    atMs: 0,
    actor: 'a',
    agent: 'a',
  };
  return { record, heldBytes };
}

describe('a limited scope', () => {
  it('takes no write that would bring it over, counting what is in flight', () => {
    const quotas = createQuotas({ '*': { maxKeys: 2, maxBytes: 100 } }, () => []);
    quotas.accept([write(1, 'shared', 40, null), write(2, 'shared', 40, null)]);
    expect(() => quotas.check([write(3, 'shared', 1, null)])).toThrowError(failing('QUOTA_EXCEEDED'));
    expect(() => quotas.check([write(3, 'shared', 61, 40)])).toThrowError(
      expect.objectContaining({
        data: expect.objectContaining({ what: 'bytes', limit: 100, use: 80, wanted: 101 }),
      }),
    );
    expect(() => quotas.check([write(3, 'shared', 60, 40)])).not.toThrow();
    expect(() => quotas.check([write(3, 'coordinator', 1, null)])).not.toThrow();
  });

  it('gives back what a failed write had taken, keeps what a durable one took', () => {
    const quotas = createQuotas({ shared: { maxKeys: 1 } }, () => []);
    const one = write(1, 'shared', 40, null);
    quotas.accept([one]);
    quotas.settle(one.record, false);
    expect(() => quotas.check([write(2, 'shared', 1, null)])).not.toThrow();
    const two = write(2, 'shared', 40, null);
    quotas.accept([two]);
    quotas.settle(two.record, true);
    expect(() => quotas.check([write(3, 'shared', 1, null)])).toThrowError(failing('QUOTA_EXCEEDED'));
  });

  it('that is over already may shrink, and a batch counts as a whole', () => {
    const quotas = createQuotas({ shared: { maxKeys: 1, maxBytes: 10 } }, () => [
      { scope: 'shared', keys: 3, bytes: 300 },
    ]);
    expect(() => quotas.check([write(1, 'shared', 50, 100)])).not.toThrow();
    expect(() => quotas.check([write(1, 'shared', null, 100)])).not.toThrow();
    expect(() => quotas.check([write(1, 'shared', null, 100), write(2, 'shared', 100, null)])).not.toThrow();
    expect(() => quotas.check([write(1, 'shared', 101, 100)])).toThrowError(/maxBytes/);
  });

  it('counts anew when others pushed', () => {
    let keys = 1;
    const quotas = createQuotas({ shared: { maxKeys: 2 } }, () => [{ scope: 'shared', keys, bytes: 1 }]);
    expect(() => quotas.check([write(1, 'shared', 1, null)])).not.toThrow();
    keys = 2;
    quotas.recount();
    expect(() => quotas.check([write(1, 'shared', 1, null)])).toThrowError(failing('QUOTA_EXCEEDED'));
  });
});

test('no limit is ever overshot, whatever settles when', () => {
  const step = fc.record({ bytes: fc.nat(30), settles: fc.boolean(), ok: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const quotas = createQuotas({ '*': { maxBytes: 100 } }, () => []);
      let bytes = 0;
      let seq = 0;
      let open: QuotaWrite[] = [];
      for (const { bytes: size, settles, ok } of steps) {
        const one = write((seq += 1), 'shared', size, null);
        try {
          quotas.check([one]);
          quotas.accept([one]);
          bytes += size;
          open.push(one);
        } catch {
          expect(bytes + size).toBeGreaterThan(100);
        }
        expect(bytes).toBeLessThanOrEqual(100);
        if (!settles) continue;
        for (const { record } of open) quotas.settle(record, ok);
        if (!ok) bytes -= open.reduce((sum, { record }) => sum + (record.content?.length ?? 0), 0);
        open = [];
      }
    }),
  );
});
