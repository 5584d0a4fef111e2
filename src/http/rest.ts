/** The REST edge on Fastify, without a listener of its own: `http/listen` hands it requests. */

import fastify, { type FastifyInstance, type FastifyServerFactory } from 'fastify';
import type { AuditChange } from '../kernel/audit.ts';
import { AppError } from '../kernel/errors.ts';
import type { ServerName } from '../kernel/authorizer.ts';
import type { Logger } from '../kernel/log.ts';
import type { Access } from './access.ts';
import { assertDepth } from './bounds/assert-depth.ts';
import { retryAfterOf, toProblem } from './problem.ts';
import { tellLimit } from './rate-limit-fields.ts';
import { type RouteHandlers, serveRoutes } from './serve-routes.ts';

export interface RestOptions {
  readonly handlers: RouteHandlers;
  readonly access: Pick<Access, 'authorize' | 'principalOf' | 'addressOf'>;
  /** Of the servers that paths name. */
  readonly serverOf: (id: string) => ServerName;
  /** True once the servers asked for are up. */
  readonly isReady: () => boolean;
  /** The metrics as text for Prometheus. */
  readonly metrics?: (() => Promise<{ readonly contentType: string; readonly text: string }>) | undefined;
  /** Writes down what is more than looking. */
  readonly auditChange?: AuditChange | undefined;
  readonly logger: Logger;
  readonly bodyLimitBytes: number;
  readonly maxJsonDepth: number;
  /** Makes the server that both edges share. */
  readonly serverFactory: FastifyServerFactory;
}

export async function createRest(options: RestOptions): Promise<FastifyInstance> {
  const { logger } = options;
  const app = fastify({
    logger: false,
    bodyLimit: options.bodyLimitBytes,
    serverFactory: options.serverFactory,
    routerOptions: { maxParamLength: 4096 },
    forceCloseConnections: true,
  });
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    try {
      assertDepth(body, options.maxJsonDepth);
    } catch (error) {
      done(error as AppError);
      return;
    }
    void parseJson(request, body, done);
  });
  app.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) => {
    const problem = toProblem(asOurs(error, options.bodyLimitBytes), logger);
    const retryAfter = retryAfterOf(error);
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    tellLimit(reply.raw, error);
    return await reply.code(problem.status).type('application/problem+json').send(problem);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const problem = toProblem(
      new AppError('NOT_FOUND', { what: 'route', id: `${request.method} ${request.url.split('?')[0]}` }),
      logger,
    );
    return await reply.code(problem.status).type('application/problem+json').send(problem);
  });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const isReady = options.isReady();
    return await reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'starting' });
  });
  const { metrics } = options;
  if (metrics)
    app.get('/metrics', async (request, reply) => {
      options.access.authorize(request.raw, 'system:read');
      const { contentType, text } = await metrics();
      return await reply.header('cache-control', 'no-store').type(contentType).send(text);
    });
  serveRoutes(app, options.handlers, options);
  await app.ready();
  return app;
}

/** Failures of the framework itself, in our words. */
function asOurs(error: Error & { statusCode?: number }, limitBytes: number): Error {
  if (error instanceof AppError || error.statusCode === undefined || error.statusCode >= 500) return error;
  if (error.statusCode === 413) {
    return new AppError('PAYLOAD_TOO_LARGE', { what: 'the body', bytes: `over ${limitBytes}`, limitBytes });
  }
  return new AppError('INVALID_REQUEST', { problem: error.message });
}
