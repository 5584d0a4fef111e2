/** /api/v1/secrets: list, set, remove. Each tenant sees its own; nobody sees a value. */

import type { secretRoutes as routes } from '../../contract/rest/secret-routes.ts';
import type { RouteHandlers } from '../serve-routes.ts';

interface Place {
  readonly tenant: string;
  readonly owner: string;
  readonly name: string;
}

interface Item extends Place {
  readonly version: number;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/** The store, as far as REST goes. */
export interface SecretKeeper {
  list(tenant: string): Promise<Item[]>;
  /** Throws INVALID_INPUT. */
  set(place: Place, text: string, expiresAt?: string | null): Promise<Item>;
  /** Throws NOT_FOUND. */
  remove(place: Place): Promise<void>;
}

const shown = ({ owner, name, version, createdAt, expiresAt }: Item) => ({
  owner,
  name,
  version,
  createdAt,
  expiresAt,
});

export function secretsRoutes(
  keeper: SecretKeeper,
  onChange: () => void,
): Pick<RouteHandlers, keyof typeof routes> {
  return {
    async secretsList({ principal }) {
      return { items: (await keeper.list(principal.tenant)).map(shown) };
    },
    async secretsSet({ params: { name }, query: { user: owner = '' }, body, principal: { tenant } }) {
      const item = await keeper.set({ tenant, owner, name }, body.value, body.expiresAt);
      onChange();
      return shown(item);
    },
    async secretsRemove({ params: { name }, query: { user: owner = '' }, principal: { tenant } }) {
      await keeper.remove({ tenant, owner, name });
      onChange();
      return { removed: name };
    },
  };
}
