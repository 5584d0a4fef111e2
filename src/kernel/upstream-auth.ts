/** How the gateway says who it is to a server: with credentials of its own or of the caller's, never the caller's token. */

/** Whose credentials: one set for all, one a tenant, one a user. */
export const credentialUses = ['shared', 'per-tenant', 'per-user'] as const;
export type CredentialUse = (typeof credentialUses)[number];

/** A header from a secret of the local store: of the tenant, or of the user. */
export interface StaticAuth {
  readonly type: 'static';
  readonly whose: CredentialUse;
  readonly secret: string;
  readonly header: string;
  /** Stands before the secret; empty for nothing. */
  readonly scheme: string;
}

/** Tokens of an authorization server (OAuth 2.1). */
export interface OAuthAuth {
  readonly type: 'client-credentials' | 'authorization-code';
  readonly whose: CredentialUse;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly scope?: string | undefined;
  /** The resource indicator (RFC 8707); as the server's metadata say, else its URL, when absent. */
  readonly resource?: string | undefined;
  /** The authorization server; found by the server's metadata when absent. */
  readonly issuer?: string | undefined;
  /** Hosts off the public internet that may be asked, beside those that are written down. */
  readonly allowHosts: readonly string[];
}

export type UpstreamAuth = StaticAuth | OAuthAuth;

/** Whose credentials a link uses; `user` is empty for those of a whole tenant. */
export interface CredentialOwner {
  readonly tenant: string;
  readonly user: string;
}

/** True where nothing can be asked before some user or operator has done something. */
export function needsUser(auth: UpstreamAuth | undefined): boolean {
  return auth !== undefined && (auth.whose !== 'shared' || auth.type === 'authorization-code');
}
