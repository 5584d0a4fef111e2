/** Calls without end, from clients of both eras, each answer held against its question. */

import { setTimeout as delay } from 'node:timers/promises';
import type { ChaosServer } from './fleet.ts';
import type { Call, Judge } from './judge.ts';
import { type Client, legacyClient, modernClient } from './mcp-client.ts';

export interface Callers {
  readonly sessions: readonly Client[];
  /** Stops after the calls under way. */
  stop(): Promise<void>;
}

export interface CallersOptions {
  readonly origin: string;
  readonly random: () => number;
  readonly judge: Judge;
  readonly count: number;
  /** Servers that are there and stay for now. */
  readonly available: () => readonly ChaosServer[];
  /** Servers that never go away. */
  readonly steady: readonly ChaosServer[];
}

let lastCall = 0;

/** One call, judged. */
export async function callOnce(
  client: Client,
  server: ChaosServer,
  tool: string,
  ms: number,
  judge: Judge,
  cancelAfterMs?: number,
): Promise<void> {
  const isSingle = client.path !== '/mcp';
  const call: Call = { n: (lastCall += 1), server, tool, client, startedAtMs: Date.now() };
  const params = { name: isSingle ? tool : `${server.id}__${tool}`, arguments: { n: call.n, ms } };
  const signal = cancelAfterMs === undefined ? undefined : AbortSignal.timeout(cancelAfterMs);
  judge.began(call);
  try {
    judge.answered(call, await client.ask(call.n, 'tools/call', params, signal));
  } catch (error) {
    if (signal?.aborted === true) judge.cancelled(call);
    else judge.failed(call, error);
  }
}

export const pathOf = (server: ChaosServer): string => `/mcp/servers/${server.id}`;

const sharedSessions = 8;
const ownSessions = 6;

/** Opens the sessions, and starts to call. */
export async function startCallers(options: CallersOptions): Promise<Callers> {
  const { origin, random, judge, steady } = options;
  const over = new AbortController();
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const onClosed = () => {
    if (!over.signal.aborted) judge.violation('the stream of a session was closed');
  };
  const shared = await Promise.all(
    Array.from({ length: sharedSessions }, () => legacyClient(origin, '/mcp', onClosed)),
  );
  const owners = Array.from({ length: ownSessions }, (_, n) => steady[(n * 37) % steady.length]!);
  const own = await Promise.all(owners.map((server) => legacyClient(origin, pathOf(server), onClosed)));

  async function call(client: Client, server: ChaosServer): Promise<void> {
    const tool = pick(['read', 'read', 'put', 'add']);
    const ms = random() < 0.05 ? 500 : Math.floor(random() * 40);
    const cancelAfterMs = random() < 0.01 ? Math.ceil(random() * 20) : undefined;
    await callOnce(client, server, tool, ms, judge, cancelAfterMs);
  }

  async function shortSession(): Promise<void> {
    const client = await legacyClient(origin, '/mcp');
    for (let n = 0; n < 3; n += 1) await call(client, pick(options.available()));
    // Some clients just go away.
    if (random() < 0.5) await client.close();
  }

  async function once(worker: number): Promise<void> {
    if (random() < 0.02) return await shortSession();
    if (worker % 8 === 7) {
      const at = Math.floor(random() * own.length);
      return await call(own[at]!, owners[at]!);
    }
    const server = pick(options.available());
    if (worker % 2 === 0) return await call(pick(shared), server);
    await call(modernClient(origin, random() < 0.7 ? '/mcp' : pathOf(server)), server);
  }

  async function work(worker: number): Promise<void> {
    while (!over.signal.aborted) {
      await once(worker).catch((error: unknown) => judge.violation(`a client failed: ${String(error)}`));
      await delay(random() * 60);
    }
  }

  /** Every tool of every steady server is listed, whatever state it is in. */
  async function watchList(): Promise<void> {
    const client = modernClient(origin, '/mcp');
    while (!over.signal.aborted) {
      const names = await listTools(client);
      const missing = steady.filter(({ id }) => !names.has(`${id}__read`)).map(({ id }) => id);
      if (missing.length > 0) judge.violation(`not listed: ${missing.join(', ')}`);
      await delay(1000);
    }
  }

  const working = Promise.all([
    ...Array.from({ length: options.count }, (_, worker) => work(worker)),
    watchList().catch((error: unknown) => judge.violation(`the list failed: ${String(error)}`)),
  ]);
  return {
    sessions: [...shared, ...own],
    async stop() {
      over.abort();
      await working;
    },
  };
}

/** All pages of a mount's tools. */
export async function listTools(client: Client): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  let cursor: unknown;
  do {
    const params = cursor === undefined ? {} : { cursor };
    const { message } = await client.ask((lastCall += 1), 'tools/list', params);
    const { tools, nextCursor } = message.result as { tools: { name: string }[]; nextCursor?: string };
    for (const { name } of tools) names.add(name);
    cursor = nextCursor;
  } while (cursor !== undefined);
  return names;
}
