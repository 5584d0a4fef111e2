/** /api/v1/limits */

import type { Authorizer } from '../../kernel/authorizer.ts';
import type { Priority } from '../../kernel/pool-options.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { Standing } from '../../kernel/rate-limits.ts';
import type { RouteAnswer, RouteHandlers } from '../serve-routes.ts';

export interface LimitRoutesDependencies {
  readonly limits: {
    standings(limited: {
      readonly principal: Principal;
      readonly server?: string | undefined;
      readonly tool?: string | undefined;
    }): Promise<Standing[]>;
    planOf(principal: Principal): string | undefined;
    priorityOf(principal: Principal): Priority | undefined;
  };
  readonly authorizer: Pick<Authorizer, 'assertMay'>;
  readonly counting: () => RouteAnswer<'limits'>['counting'];
}

export function limitsRoutes({
  limits,
  authorizer,
  counting,
}: LimitRoutesDependencies): Pick<RouteHandlers, 'limits'> {
  return {
    async limits({ query, principal: asker, remoteAddress }) {
      const { principal: id = asker.id, server, tool } = query;
      const isOwn = id === asker.id;
      if (!isOwn) authorizer.assertMay(asker, { action: 'limits:read', remoteAddress });
      const principal: Principal = isOwn ? asker : { id, tenant: asker.tenant, role: 'viewer' };
      const plan = limits.planOf(principal);
      const priority = limits.priorityOf(principal);
      return {
        principal: id,
        tenant: asker.tenant,
        ...(plan !== undefined && { plan }),
        ...(priority !== undefined && { priority }),
        counting: counting(),
        items: await limits.standings({ principal, server, tool }),
      };
    },
  };
}
