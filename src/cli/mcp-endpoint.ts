/** The MCP endpoint that belongs to a coordinator's address. */

import { AppError } from '../kernel/errors.ts';
import { baseUrlOf } from './rest-client.ts';

/** A part of the endpoint; all of it when empty. */
export interface Mount {
  readonly server?: string;
  readonly category?: string;
  readonly bundle?: string;
  /** Tools are searched instead of listed. */
  readonly search?: boolean;
}

const folders = { server: 'servers', category: 'categories', bundle: 'bundles' } as const;

/**
 * `http://host:3000` → `http://host:3000/mcp[/servers/<id>|/categories/<name>|/bundles/<name>][?tools=search]`; a URL
 * that names a mount is kept.
 */
export function endpointOf(url: string, mount: Mount = {}): string {
  const [kind, other] = (Object.keys(folders) as (keyof typeof folders)[]).filter(
    (name) => mount[name] !== undefined,
  );
  if (other !== undefined)
    throw new AppError('INVALID_INPUT', { field: `--${kind}`, problem: `cannot go with --${other}` });
  const given = URL.parse(url);
  const hasMount = given !== null && /\/mcp\/(servers|categories|bundles)\/./.test(given.pathname);
  const base = baseUrlOf(url);
  const isSearch = mount.search === true || base.searchParams.get('tools') === 'search';
  const query = isSearch ? '?tools=search' : '';
  base.search = '';
  const root = `${base.href.replace(/\/$/, '')}/mcp`;
  if (kind !== undefined) return `${root}/${folders[kind]}/${encodeURIComponent(mount[kind] ?? '')}${query}`;
  if (!hasMount) return root + query;
  given.search = query;
  return given.href;
}
