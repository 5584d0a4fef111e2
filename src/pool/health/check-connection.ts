/** Asks a connection for a sign of life, in the cheapest way that its server answers. */

import { isAppError } from '../../kernel/errors.ts';
import { type JsonObject, RpcError } from '../../kernel/json-rpc.ts';
import type { Connection } from '../../transport/connection.ts';

export interface ConnectionCheck {
  /** Resolves when the server has answered, be it with an error of its own; rejects as the connection does. */
  run(): Promise<void>;
}

const lists = ['tools', 'prompts', 'resources'] as const;

/** Methods that may serve, in the order to try them. The modern era has no ping, but every server knows `server/discover`. */
function methodsOf({ era, server }: Connection): string[] {
  const listed = lists
    .filter((kind) => server.capabilities[kind] !== undefined)
    .map((kind) => `${kind}/list`);
  return [era === 'modern' ? 'server/discover' : 'ping', ...listed.slice(0, 1)];
}

/** A server that lets `ping` lie without an answer is asked for its list, then and from then on. */
export function createConnectionCheck(connection: Connection, timeoutMs: number): ConnectionCheck {
  const methods = methodsOf(connection);

  async function ask(method: string): Promise<void> {
    // Modern servers insist on an object; the connection adds what belongs into it.
    const params: JsonObject | undefined = method === 'ping' ? undefined : {};
    try {
      await connection.request(method, params, { timeoutMs });
    } catch (error) {
      // "Method not found" is an answer, too.
      if (!(error instanceof RpcError)) throw error;
    }
  }

  return {
    async run() {
      const [method, fallback] = methods as [string, string?];
      try {
        await ask(method);
      } catch (error) {
        if (!isAppError(error, 'UPSTREAM_TIMEOUT') || fallback === undefined) throw error;
        await ask(fallback);
        methods.shift();
      }
    },
  };
}
