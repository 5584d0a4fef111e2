/** The store as oidc-provider wants to see it. What opens something by itself is kept as a hash. */

import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Clock } from '../../kernel/clock.ts';
import type { OauthRecord, OauthRecords } from '../../store/oauth-records.ts';
import { hashOf } from '../key-text.ts';
import type { Directory } from '../people/directory.ts';

/** Their ids are known to more than their bearer, or are in a token of ours. */
const plainModels = new Set(['Client', 'Grant']);

export interface AdapterParts {
  readonly records: OauthRecords;
  readonly directory: Pick<Directory, 'addGrant' | 'removeGrant'>;
  readonly tenant: string;
  readonly clock: Clock;
}

/** Makes the adapter of one model, such as `RefreshToken`. */
export function createRecordAdapter(model: string, parts: AdapterParts): Adapter {
  const { records, directory, tenant, clock } = parts;
  const keyOf = (id: string) => (plainModels.has(model) ? id : hashOf(id));
  const iso = (ms: number) => new Date(ms).toISOString();

  function payloadOf(record: OauthRecord | undefined, id?: string): AdapterPayload | undefined {
    if (!record || (record.expiresAt !== null && record.expiresAt <= iso(clock.now()))) return undefined;
    const payload = JSON.parse(record.payload) as AdapterPayload;
    return {
      ...payload,
      // A client has no `jti`.
      ...(model !== 'Client' && id !== undefined && { jti: id }),
      ...(record.consumedAt !== null && { consumed: Math.floor(Date.parse(record.consumedAt) / 1000) }),
    };
  }

  return {
    async upsert(id, payload, expiresInSeconds) {
      const { jti: _, consumed, ...kept } = payload;
      await records.put(tenant, {
        model,
        id: keyOf(id),
        payload: JSON.stringify(kept),
        grantId: payload.grantId ?? null,
        uid: payload.uid ?? null,
        userId: payload.accountId ?? null,
        clientId: payload.clientId ?? null,
        createdAt: iso(clock.now()),
        // A client has no end of its own.
        expiresAt: expiresInSeconds ? iso(clock.now() + expiresInSeconds * 1000) : null,
        consumedAt: typeof consumed === 'number' ? iso(consumed * 1000) : null,
      });
      if (model === 'Grant') directory.addGrant(id);
    },
    find: async (id) => payloadOf(await records.find(tenant, model, keyOf(id)), id),
    // Only who is signed in is read of it, so that its own id need not be known.
    findByUid: async (uid) => payloadOf(await records.findByUid(tenant, model, uid)),
    // Nobody enters codes into a device.
    findByUserCode: async () => undefined,
    async consume(id) {
      // Of two at the same time one is refused: what was used once opens nothing again.
      if (!(await records.consume(tenant, model, keyOf(id), iso(clock.now()))))
        throw new errors.InvalidGrant('it was used by somebody else at the same time');
    },
    async destroy(id) {
      if (model === 'Grant') directory.removeGrant(id);
      await records.remove(tenant, model, keyOf(id));
    },
    revokeByGrantId: (grantId) => records.removeOfGrant(tenant, model, grantId),
  };
}
