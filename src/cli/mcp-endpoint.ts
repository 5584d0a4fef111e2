/** The MCP endpoint that belongs to a coordinator's address. */

import { AppError } from '../kernel/errors.ts';
import { baseUrlOf } from './rest-client.ts';

/** A part of the endpoint; all of it when empty. */
export interface Mount {
  readonly server?: string;
  readonly category?: string;
}

/** `http://host:3000` → `http://host:3000/mcp[/servers/<id>|/categories/<name>]`; a URL that names a mount is kept. */
export function endpointOf(url: string, mount: Mount = {}): string {
  if (mount.server !== undefined && mount.category !== undefined) {
    throw new AppError('INVALID_INPUT', { field: '--server', problem: 'cannot go with --category' });
  }
  const given = URL.parse(url);
  const hasMount = given !== null && /\/mcp\/(servers|categories)\/./.test(given.pathname);
  const base = baseUrlOf(url);
  const root = `${base.href.replace(/\/$/, '')}/mcp`;
  if (mount.server !== undefined) return `${root}/servers/${encodeURIComponent(mount.server)}`;
  if (mount.category !== undefined) return `${root}/categories/${encodeURIComponent(mount.category)}`;
  return hasMount ? given.href : root;
}
