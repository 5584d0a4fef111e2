/** Whose connection a call goes over, where a server is not shared by all. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import { localOwner } from '../kernel/principal.ts';
import type { Peer } from '../kernel/protocol.ts';
import type { Owner } from '../pool/own-instances.ts';

/** Undefined where all clients share. */
export function ownerOf({ isolation }: InstanceSpec, peer: Peer): Owner | undefined {
  const { id, tenant } = peer.principal ?? localOwner;
  const principal = { tenant, id };
  const named = (...parts: string[]): Owner => ({ key: JSON.stringify(parts), hasEnd: false, principal });
  switch (isolation) {
    case 'per-tenant':
      return named('tenant', tenant);
    case 'per-user':
      return named('user', tenant, id);
    case 'per-session': {
      if (peer.hasSession === true) return { key: sessionOwnerKey(peer.key), hasEnd: true, principal };
      // The modern era has no sessions: one program of one user is the most that can be told apart.
      const { name = '', version = '' } = peer.clientInfo ?? {};
      return named('client', tenant, id, name, version);
    }
    default:
      return undefined;
  }
}

/** The key under which a session has connections of its own. */
export function sessionOwnerKey(sessionId: string): string {
  return JSON.stringify(['session', sessionId]);
}

/**
 * The client as a server that is isolated per session sees it. All calls over such a connection are of one client, so
 * what the server asks has but one addressee, though each call of the modern era stands alone.
 */
export function peerFor(spec: InstanceSpec, peer: Peer): Peer {
  if (spec.isolation !== 'per-session' || peer.hasSession === true) return peer;
  const owner = ownerOf(spec, peer);
  return owner ? { ...peer, key: owner.key } : peer;
}
