/** Who a request is made for. The edge finds out; everything behind it goes by this value only. */

export interface Principal {
  /** Unique inside its tenant. */
  readonly id: string;
  readonly tenant: string;
}

/** Whoever reaches a coordinator that knows no identities: the person who runs it. */
export const localOwner: Principal = { id: 'owner', tenant: 'default' };
