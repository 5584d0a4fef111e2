/**
 * The MCP endpoint over Streamable HTTP. One body parse decides the era: a request that carries the modern
 * envelope in `_meta` is served statelessly, everything else belongs to a legacy session.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MountKey } from '../../gateway/mounts.ts';
import { AppError, errorTable, toAppError } from '../../kernel/errors.ts';
import { isJsonObject } from '../../kernel/json-rpc.ts';
import type { Logger } from '../../kernel/log.ts';
import { isModernVersion, mcpHeaders, metaKeys } from '../../kernel/protocol.ts';
import { type EndpointDependencies, errorResponse } from './endpoint-dependencies.ts';
import { serveLegacyDelete, serveLegacyGet, serveLegacyPost } from './legacy.ts';
import { serveModernPost } from './modern.ts';
import { readJson } from './read-json.ts';

export type McpEndpoint = (
  mount: MountKey,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>;

/** Ends a request that failed before it was one: plain HTTP status with a JSON-RPC error without id. */
function refuse(response: ServerResponse, thrown: unknown, logger: Logger): void {
  if (response.destroyed) return;
  if (response.headersSent) {
    // Too late to say anything, and a client must not wait for an end that never comes.
    if (!response.writableEnded) response.destroy();
    return;
  }
  const error = toAppError(thrown);
  const body = JSON.stringify(errorResponse(null, error, logger));
  response
    .writeHead(errorTable[error.code].http, {
      'content-type': 'application/json',
      // What is left of a body that is too large is not waited for.
      ...(error.code === 'PAYLOAD_TOO_LARGE' && { connection: 'close' }),
    })
    .end(body);
}

function isModern(body: unknown, request: IncomingMessage): boolean {
  if (!isJsonObject(body)) return false;
  const meta = isJsonObject(body['params']) ? body['params']['_meta'] : undefined;
  if (isJsonObject(meta) && typeof meta[metaKeys.protocolVersion] === 'string') return true;
  // Methods and headers that only the modern era has; a broken envelope is then its error to name.
  return isModernVersion(request.headers[mcpHeaders.protocolVersion]) || body['method'] === 'server/discover';
}

export function createMcpEndpoint(deps: EndpointDependencies): McpEndpoint {
  const { logger } = deps;

  async function post(mount: MountKey, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = request.headers['content-type'] ?? '';
    if (!/^application\/json\b/i.test(type)) {
      response.writeHead(415, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(
          errorResponse(
            null,
            new AppError('INVALID_REQUEST', { problem: 'Content-Type must be application/json' }),
            logger,
          ),
        ),
      );
      return;
    }
    const body = await readJson(request, deps.bodyLimitBytes, deps.maxJsonDepth);
    if (isModern(body, request)) await serveModernPost(deps, mount, body, request, response);
    else await serveLegacyPost(deps, mount, body, request, response);
  }

  return async (mount, request, response) => {
    try {
      const isStateless =
        isModernVersion(request.headers[mcpHeaders.protocolVersion]) ||
        request.headers[mcpHeaders.sessionId] === undefined;
      if (request.method === 'POST') await post(mount, request, response);
      else if (request.method === 'GET' && !isStateless) serveLegacyGet(deps, mount, request, response);
      else if (request.method === 'DELETE' && !isStateless) serveLegacyDelete(deps, mount, request, response);
      else {
        const allow = isStateless ? 'POST' : 'GET, POST, DELETE';
        response.writeHead(405, { allow, 'content-type': 'application/json' });
        response.end(
          JSON.stringify(
            errorResponse(null, new AppError('INVALID_REQUEST', { problem: `use ${allow}` }), logger),
          ),
        );
      }
    } catch (error) {
      refuse(response, error, logger);
    }
  };
}
