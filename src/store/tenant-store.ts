/** The repositories for the parts of a coordinator that work for one tenant. */

import { keepScaleBounds, type KeptScaleBounds } from './scale-bounds.ts';
import type { Store } from './open-store.ts';

/** A repository whose functions have been given the tenant. */
export type OfTenant<Repository> = {
  readonly [Name in keyof Repository]: Repository[Name] extends (
    tenant: string,
    ...rest: infer Rest
  ) => infer Result
    ? (...rest: Rest) => Result
    : never;
};

const bound = [
  'listings',
  'addedServers',
  'addedRemotes',
  'addedBundles',
  'approvals',
  'serverChanges',
  'deployments',
  'serverSettings',
  'quarantine',
] as const satisfies readonly (keyof Store)[];

export type TenantStore = {
  readonly [Name in (typeof bound)[number]]: OfTenant<Omit<Store[Name], symbol>>;
} & { readonly scaleBounds: KeptScaleBounds };

/** Gives each function of a repository the tenant. */
export function ofTenant<Repository extends object>(
  repository: Repository,
  tenant: string,
): OfTenant<Omit<Repository, symbol>> {
  const functions = Object.entries(repository) as [string, (...all: unknown[]) => unknown][];
  return Object.fromEntries(
    functions.map(([name, call]) => [name, (...rest: unknown[]) => call(tenant, ...rest)]),
  ) as OfTenant<Omit<Repository, symbol>>;
}

/** All that one tenant has; bounds of replicas are read here. */
export async function openTenantStore(store: Store, tenant: string): Promise<TenantStore> {
  const repositories = Object.fromEntries(bound.map((name) => [name, ofTenant(store[name], tenant)]));
  const scaleBounds = await keepScaleBounds(ofTenant(store.scaleBounds, tenant));
  return { ...repositories, scaleBounds } as TenantStore;
}
