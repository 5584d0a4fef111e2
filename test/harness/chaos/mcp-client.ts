/** Clients of both eras, as thin as can be: one HTTP request a call. */

import { Agent, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly session: string | undefined;
  readonly message: {
    readonly id?: unknown;
    readonly result?: Record<string, unknown>;
    readonly error?: { readonly code: number; readonly message: string; readonly data?: ErrorData };
  };
}

export interface ErrorData {
  readonly code?: string;
  readonly id?: string;
  readonly [key: string]: unknown;
}

export interface Client {
  /** `undefined`: a session of the legacy era; otherwise each request stands alone. */
  readonly session: string | undefined;
  readonly path: string;
  ask(id: number, method: string, params: Record<string, unknown>, signal?: AbortSignal): Promise<Answer>;
  /** Ends the session. */
  close(): Promise<void>;
}

const agent = new Agent({ keepAlive: true, maxSockets: 512 });
const modern = '2026-07-28';
const legacy = '2025-11-25';
const meta = {
  'io.modelcontextprotocol/protocolVersion': modern,
  'io.modelcontextprotocol/clientInfo': { name: 'chaos', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
/** Nothing may take longer; one that does has no answer. */
const patienceMs = 60_000;

function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  body: object | undefined,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method, headers, signal, timeout: patienceMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const session = response.headers['mcp-session-id'] as string | undefined;
        const isStream = (response.headers['content-type'] ?? '').startsWith('text/event-stream');
        const json = isStream ? (text.split('\ndata: ').at(-1) ?? '') : text;
        try {
          const message = json.trim() === '' ? {} : (JSON.parse(json) as Answer['message']);
          resolve({ status: response.statusCode!, session, message });
        } catch (error) {
          reject(error);
        }
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${patienceMs} ms`)));
    outgoing.on('error', reject);
    outgoing.end(body && JSON.stringify(body));
  });
}

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

export function modernClient(origin: string, path: string): Client {
  return {
    session: undefined,
    path,
    async ask(id, method, params, signal) {
      const headers: Record<string, string> = {
        ...json,
        'mcp-protocol-version': modern,
        'mcp-method': method,
        ...(typeof params['name'] === 'string' && { 'mcp-name': params['name'] }),
      };
      const body = { jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } };
      return await send(origin + path, 'POST', headers, body, signal);
    },
    async close() {},
  };
}

/** Opens a session; with `onClosed` also its stream, whose end is told. */
export async function legacyClient(origin: string, path: string, onClosed?: () => void): Promise<Client> {
  const params = {
    protocolVersion: legacy,
    capabilities: {},
    clientInfo: { name: 'chaos', version: '1' },
  };
  const first = await send(
    origin + path,
    'POST',
    json,
    { jsonrpc: '2.0', id: 0, method: 'initialize', params },
    undefined,
  );
  const session = first.session;
  if (session === undefined) throw new Error(`no session at ${path}: ${JSON.stringify(first.message)}`);
  const headers = { ...json, 'mcp-session-id': session, 'mcp-protocol-version': legacy };
  const greeting = { jsonrpc: '2.0', method: 'notifications/initialized' };
  await send(origin + path, 'POST', headers, greeting, undefined);
  if (onClosed) {
    const stream = request(origin + path, {
      agent,
      method: 'GET',
      headers: { ...headers, accept: 'text/event-stream' },
    });
    stream.on('response', (response) => response.resume().on('close', onClosed));
    stream.on('error', () => {});
    stream.end();
  }
  return {
    session,
    path,
    ask: (id, method, own, signal) =>
      send(origin + path, 'POST', headers, { jsonrpc: '2.0', id, method, params: own }, signal),
    async close() {
      await send(origin + path, 'DELETE', headers, undefined, undefined);
    },
  };
}

export function closeSockets(): void {
  agent.destroy();
}
