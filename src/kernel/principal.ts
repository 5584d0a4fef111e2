/** Who a request is made for. The edge finds out; everything behind it goes by this value only. */

import type { Role } from './roles.ts';

export interface Principal {
  /** Unique inside its tenant. */
  readonly id: string;
  readonly tenant: string;
  readonly role: Role;
}

/** Whoever reaches a coordinator that knows no identities: the person who runs it. */
export const localOwner: Principal = { id: 'owner', tenant: 'default', role: 'owner' };
