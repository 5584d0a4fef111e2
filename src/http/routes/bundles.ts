/** /api/v1/bundles: list, show, add, remove. */

import type { BundleRow } from '../../contract/rest/bundle-routes.ts';
import type { Bundle, Bundles } from '../../gateway/bundles/bundles.ts';
import { chooseTools } from '../../gateway/bundles/compile-bundle.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { RouteHandlers } from '../serve-routes.ts';

type BundleRoutes = Pick<RouteHandlers, 'bundlesList' | 'bundlesShow' | 'bundlesAdd' | 'bundlesRemove'>;

export function bundlesRoutes(bundles: Bundles, gateway: Gateway, baseUrl: () => string): BundleRoutes {
  function detailsOf(bundle: Bundle) {
    const all = gateway.mounts.view('all');
    const { chosen, missing } = chooseTools(bundle, all);
    const row: BundleRow = {
      name: bundle.name,
      ...(bundle.title !== undefined && { title: bundle.title }),
      ...(bundle.description !== undefined && { description: bundle.description }),
      source: bundle.source,
      url: `${baseUrl()}/mcp/bundles/${bundle.name}`,
      tools: chosen.length,
      missing,
    };
    const tools = chosen.map(({ name, tool, wanted }) => {
      const { title, description, arguments: fixed } = wanted;
      return { name, tool, title, description, ...(fixed && { arguments: fixed }) };
    });
    return { row, details: { ...row, chosen: tools } };
  }

  return {
    async bundlesList() {
      return { items: bundles.all().map((bundle) => detailsOf(bundle).row) };
    },
    async bundlesShow({ params }) {
      return detailsOf(bundles.get(params.name)).details;
    },
    async bundlesAdd({ params, body }) {
      return detailsOf(await bundles.put(params.name, body)).details;
    },
    async bundlesRemove({ params }) {
      await bundles.remove(params.name);
      return { removed: params.name };
    },
  };
}
