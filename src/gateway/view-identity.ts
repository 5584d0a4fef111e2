/** How a mount introduces itself to its clients. */

import type { JsonObject } from '../kernel/json-rpc.ts';
import { product } from '../kernel/product.ts';
import { listingOf, type View } from './view.ts';

const sharedInstructions =
  'Many MCP servers behind one endpoint. Tools are named <server>__<tool>; the memory_* tools keep a versioned memory in Git that all clients and servers share. Search memory before asking again, and store decisions and facts worth keeping.';

/** Name and instructions: the server's own in a single mount. */
export function identityOf(view: View): { info: JsonObject; instructions?: string } {
  const [group] = view.groups;
  const listing = view.isSingle && group ? listingOf(group) : undefined;
  const instructions = view.instructions ?? (listing ? listing.server.instructions : sharedInstructions);
  return {
    info: listing?.server.info ?? { ...product, title: view.title ?? 'Git Memory MCP Server' },
    ...(instructions !== undefined && { instructions }),
  };
}
