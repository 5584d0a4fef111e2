/** Tokens that users have agreed to, kept in the local store: by server, tenant and user. */

import type { CredentialOwner } from '../../kernel/upstream-auth.ts';
import type { LocalSecrets } from '../local-secrets.ts';
import type { OAuthClient, TokenSet } from './request-token.ts';

export interface KeptTokens {
  readonly tokens: TokenSet;
  /** The client that they were given to. */
  readonly client: OAuthClient;
}

export interface TokenKeeper {
  find(server: string, owner: CredentialOwner): Promise<KeptTokens | undefined>;
  put(server: string, owner: CredentialOwner, kept: KeptTokens): Promise<void>;
  remove(server: string, owner: CredentialOwner): Promise<void>;
}

export function createKeptTokens(local: LocalSecrets): TokenKeeper {
  const placeOf = (server: string, { tenant, user }: CredentialOwner) => ({
    tenant,
    owner: user,
    name: `upstream/${server}`,
  });
  return {
    async find(server, owner) {
      const found = await local.find(placeOf(server, owner));
      return found && (JSON.parse(found.text) as KeptTokens);
    },
    async put(server, owner, kept) {
      await local.set(placeOf(server, owner), JSON.stringify(kept));
    },
    async remove(server, owner) {
      await local.remove(placeOf(server, owner)).catch(() => {});
    },
  };
}
