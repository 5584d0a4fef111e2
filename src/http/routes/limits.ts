/** /api/v1/limits */

import { AppError } from '../../kernel/errors.ts';
import type { Priority } from '../../kernel/pool-options.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { Standing } from '../../kernel/rate-limits.ts';
import { mayDo } from '../../kernel/roles.ts';
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
  readonly counting: () => RouteAnswer<'limits'>['counting'];
}

export function limitsRoutes({ limits, counting }: LimitRoutesDependencies): Pick<RouteHandlers, 'limits'> {
  return {
    async limits({ query, principal: asker }) {
      const { principal: id = asker.id, server, tool } = query;
      const isOwn = id === asker.id;
      if (!isOwn && !mayDo(asker.role, 'manage'))
        throw new AppError('FORBIDDEN', {
          problem: `the role ${asker.role} does not include manage, which the limits of others need`,
          role: asker.role,
          permission: 'manage',
        });
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
