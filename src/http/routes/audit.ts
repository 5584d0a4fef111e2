/** /api/v1/audit: what was done, and whether the log still says so. */

import type { AuditItem } from '../../contract/rest/audit-routes.ts';
import { AppError } from '../../kernel/errors.ts';
import type { RouteAnswer, RouteHandlers } from '../serve-routes.ts';

/** The log as the routes ask for it. */
export interface ReadableAudit {
  find(
    tenant: string,
    filter: Readonly<
      Record<'since' | 'until' | 'principal' | 'server' | 'target' | 'outcome', string | undefined>
    >,
    page: {
      readonly order: 'newest' | 'oldest';
      readonly cursor?: number | undefined;
      readonly limit: number;
    },
  ): Promise<{ readonly items: AuditItem[]; readonly nextCursor?: string }>;
  verify(tenant: string): Promise<RouteAnswer<'auditVerify'>>;
}

/** Without a log there is nothing to look at. */
export function auditRoutes(
  log: ReadableAudit | undefined,
): Pick<RouteHandlers, 'auditList' | 'auditVerify'> {
  function need(): ReadableAudit {
    if (log) return log;
    throw new AppError('NOT_FOUND', { what: 'audit log', id: 'switched off, see audit.mode in the config' });
  }
  return {
    async auditList({ query, principal }) {
      const { limit = 100, cursor, order = 'newest', tool: target, ...filter } = query;
      const { since, until, principal: who, server, outcome } = filter;
      return await need().find(
        principal.tenant,
        { since, until, principal: who, server, target, outcome },
        { limit, order, cursor: cursor === undefined ? undefined : Number(cursor) },
      );
    },
    auditVerify: async ({ principal }) => await need().verify(principal.tenant),
  };
}
