/** /api/v1/tools: the tools of `/mcp` and one call. */

import type { ToolItem } from '../../contract/rest/tool-routes.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { pageOf } from '../../gateway/pages.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import type { RouteHandlers } from '../serve-routes.ts';

/** How REST callers appear to servers and in the memory's history. */
const restPeer = { clientInfo: { name: 'rest', version: '1' }, capabilities: {} };

type ToolRoutes = Pick<RouteHandlers, 'toolsList' | 'toolsCall'>;

export function toolsRoutes(gateway: Gateway, nextRequestId: () => string): ToolRoutes {
  return {
    async toolsList({ query, principal }) {
      const view = await gateway.view('all', principal);
      const items: ToolItem[] = [];
      for (const tool of view.lists.tools) {
        const name = String(tool['name']);
        const spec = view.tools.get(name)?.group.instances[0]?.spec;
        if (
          !spec ||
          (query.server ?? spec.id) !== spec.id ||
          (query.category ?? spec.category) !== spec.category
        )
          continue;
        items.push({ ...(tool as JsonObject & { inputSchema: JsonObject }), name, server: spec.id });
      }
      const page = pageOf(items, 'name', query.cursor, query.limit ?? 100);
      return {
        items: page.items as ToolItem[],
        ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }),
      };
    },
    async toolsCall({ body, signal, principal, remoteAddress }) {
      const requestId = nextRequestId();
      const exchange = {
        era: 'modern' as const,
        requestId,
        peer: { key: `rest:${requestId}`, principal, ...restPeer },
        remoteAddress,
        signal,
        notify() {},
      };
      const params = { name: body.name, ...(body.arguments && { arguments: body.arguments }) };
      const result = await gateway.handle(gateway.mounts.view('all'), 'tools/call', params, exchange);
      const content = Array.isArray(result['content']) ? result['content'].filter(isJsonObject) : [];
      return {
        content,
        ...(isJsonObject(result['structuredContent']) && { structuredContent: result['structuredContent'] }),
        ...(result['isError'] === true && { isError: true }),
      };
    },
  };
}
