/** Binds the route definitions of the contract to handlers: parse, handle, shape the answer. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { RouteDefinition } from '../contract/define-route.ts';
import { type RouteName, routes } from '../contract/rest/routes.ts';
import type { AuditChange, ChangeFacts } from '../kernel/audit.ts';
import { AppError } from '../kernel/errors.ts';
import type { ServerName } from '../kernel/authorizer.ts';
import type { Principal } from '../kernel/principal.ts';
import type { Access } from './access.ts';
import { permissionOf } from './needed-permission.ts';

type Parsed<Shape> = Shape extends z.ZodType ? z.output<Shape> : undefined;
type Part<Route, Name extends string> = Route extends { readonly [K in Name]: infer Shape }
  ? Parsed<Shape>
  : undefined;

export interface RouteInput<Name extends RouteName> {
  readonly params: Part<(typeof routes)[Name], 'params'>;
  readonly query: Part<(typeof routes)[Name], 'query'>;
  readonly body: Part<(typeof routes)[Name], 'body'>;
  /** What a trailing `*` took, decoded; and `:scope` where the route has one. */
  readonly path: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Who asks. */
  readonly principal: Principal;
  /** Address that the request comes from. */
  readonly remoteAddress?: string | undefined;
}

/** What a handler answers with. */
export type RouteAnswer<Name extends RouteName> = z.input<(typeof routes)[Name]['response']>;

export type RouteHandlers = {
  readonly [Name in RouteName]: (input: RouteInput<Name>) => Promise<RouteAnswer<Name>>;
};

/** Parses with a shape; the first issue becomes INVALID_INPUT with its field. */
function parse(shape: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (!shape) return undefined;
  const result = shape.safeParse(value ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = [where, ...(issue?.path ?? [])].join('.');
  throw new AppError('INVALID_INPUT', { field, problem: issue?.message ?? 'is invalid' });
}

function abortOnClose({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** What the audit log keeps of a request. */
function factsOf(route: RouteDefinition, { url, body }: FastifyRequest): ChangeFacts {
  const [target = ''] = url.split('?', 1);
  const action = `${route.method} ${route.path}`;
  return { way: 'rest', action, target, arguments: body ?? undefined, isUrgent: route.audit === 'urgent' };
}

export interface ServeOptions {
  readonly access: Pick<Access, 'authorize' | 'principalOf' | 'addressOf'>;
  readonly serverOf: (id: string) => ServerName;
  /** Writes down changes. */
  readonly auditChange?: AuditChange | undefined;
}

export function serveRoutes(
  app: FastifyInstance,
  handlers: RouteHandlers,
  { access, serverOf, auditChange = (_facts, work) => work() }: ServeOptions,
): void {
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: RouteDefinition = routes[name];
    const needed = permissionOf(route);
    const handler = handlers[name] as (input: unknown) => Promise<unknown>;
    app.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => {
        const { id } = request.params as { readonly id?: string };
        if (route.isForAll !== true)
          access.authorize(request.raw, needed, id === undefined ? undefined : serverOf(id));
        const principal = access.principalOf(request.raw);
        const answer = async () =>
          await handler({
            params: parse(route.params, request.params, 'path'),
            query: parse(route.query, request.query, 'query'),
            body: parse(route.body, request.body, 'body'),
            path: request.params,
            signal: abortOnClose(reply),
            principal,
            remoteAddress: access.addressOf(request.raw),
          });
        const isQuiet = route.method === 'GET' || route.audit === 'elsewhere';
        const result = isQuiet
          ? await answer()
          : await auditChange({ ...factsOf(route, request), principal }, answer);
        return await reply.header('cache-control', 'no-store').send(result);
      },
    });
  }
}
