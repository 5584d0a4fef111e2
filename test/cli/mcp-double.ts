/** An MCP endpoint for the stdio bridge: sessions of the legacy era, header checks of the modern one, and a memory of what came. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isJsonObject, type JsonObject } from '../../src/kernel/json-rpc.ts';

export interface SeenMessage {
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly message: JsonObject | undefined;
}

export interface McpDouble extends AsyncDisposable {
  readonly url: string;
  readonly seen: SeenMessage[];
  /** Forgets all sessions, as a restart does. */
  restart(): void;
  /** Sends a message on the open GET streams. */
  push(message: unknown): void;
}

const tool = {
  name: 'sum',
  inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
};

function resultOf(message: JsonObject): unknown {
  if (message['method'] === 'tools/list') return { tools: [tool] };
  return { echoed: message['params'] ?? null };
}

export async function startMcpDouble(port = 0): Promise<McpDouble> {
  const seen: SeenMessage[] = [];
  let sessions = new Set<string>();
  const streams = new Set<ServerResponse>();
  const json = (
    response: ServerResponse,
    status: number,
    body: unknown,
    headers: Record<string, string> = {},
  ) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  const event = (message: unknown) => `event: message\r\ndata: ${JSON.stringify(message)}\r\n\r\n`;

  function modern(message: JsonObject, request: IncomingMessage, response: ServerResponse): void {
    const params = message['params'] as JsonObject;
    const args = isJsonObject(params['arguments']) ? params['arguments'] : {};
    if (
      message['method'] === 'tools/call' &&
      args['region'] !== undefined &&
      request.headers['mcp-param-region'] === undefined
    ) {
      json(response, 400, {
        jsonrpc: '2.0',
        id: message['id'],
        error: { code: -32020, message: 'Mcp-Param-Region is missing' },
      });
    } else if (params['name'] === 'slow') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': waiting\n\n');
    } else json(response, 200, { jsonrpc: '2.0', id: message['id'], result: resultOf(message) });
  }

  function legacy(message: JsonObject, request: IncomingMessage, response: ServerResponse): void {
    const { id, method } = message;
    if (method === 'initialize') {
      const session = `s${sessions.size + 1}-${crypto.randomUUID()}`;
      sessions.add(session);
      json(
        response,
        200,
        { jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25', capabilities: {} } },
        { 'mcp-session-id': session },
      );
    } else if (!sessions.has(String(request.headers['mcp-session-id']))) {
      json(response, 404, {
        jsonrpc: '2.0',
        id: null,
        error: { code: -32001, message: 'session not found' },
      });
    } else if (id === undefined) response.writeHead(202).end();
    else if (method === 'dies') response.destroy();
    else {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const progress = {
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { text: 'ข้อความ\u2028x' },
      };
      response.end(`: hi\n\n${event(progress)}${event({ jsonrpc: '2.0', id, result: resultOf(message) })}`);
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
    const message = text === '' ? undefined : (JSON.parse(text) as JsonObject);
    seen.push({ method: request.method ?? '', headers: request.headers, message });
    if (request.method === 'GET') {
      if (!sessions.has(String(request.headers['mcp-session-id']))) {
        json(response, 404, {});
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      streams.add(response);
      response.on('close', () => streams.delete(response));
    } else if (request.method === 'DELETE') response.writeHead(204).end();
    else if (message && JSON.stringify(message).includes('io.modelcontextprotocol/protocolVersion'))
      modern(message, request, response);
    else if (message) legacy(message, request, response);
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seen,
    restart() {
      sessions = new Set();
      for (const stream of streams) stream.destroy();
    },
    push(message) {
      for (const stream of streams) stream.write(event(message));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
