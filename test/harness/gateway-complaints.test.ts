/**
 * What users of other gateways complain about, as acceptance cases for this one. Those about sessions are in
 * `gateway-complaints-sessions.test.ts`, those about reloads in `test/e2e/reload.test.ts`.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { connectV2, textOf } from '../e2e/connect-client.ts';
import { eventually } from '../e2e/eventually.ts';
import { descendantsOf, whenGone } from '../e2e/processes.ts';
import { startCoordinator } from '../e2e/start-coordinator.ts';
import { createTempFolder } from '../fixtures/memory-in-temp.ts';

const slowPath = fileURLToPath(new URL('../fixtures/slow-start-server.ts', import.meta.url));

const entry = (journal: string, startMs: number, more: object = {}) => ({
  command: process.execPath,
  args: [slowPath, journal, String(startMs)],
  ...more,
});

/** The largest number of processes that had begun and were not ready. */
function mostAtOnce(journal: string): number {
  let now = 0;
  let most = 0;
  for (const line of journal.split('\n').filter(Boolean).toSorted()) {
    now += line.endsWith('begins') ? 1 : -1;
    most = Math.max(most, now);
  }
  return most;
}

describe('complaints about other gateways', () => {
  it('1. "processes that never die": restarts leave none behind, and a stop leaves none at all', async () => {
    await using folder = await createTempFolder();
    const journal = join(folder.path, 'journal');
    const coordinator = await startCoordinator({ mcpServers: { one: entry(journal, 0) } });
    const restart = () => fetch(`${coordinator.origin}/api/v1/servers/one/restart`, { method: 'POST' });
    for (let i = 0; i < 25; i++) expect((await restart()).status).toBe(200);
    const alive = await descendantsOf(coordinator.pid);
    expect(alive.length).toBeLessThanOrEqual(2);
    const begun = (await readFile(journal, 'utf8')).split('\n').filter((line) => line.endsWith('begins'));
    expect(begun.length).toBeGreaterThan(25);
    await coordinator[Symbol.asyncDispose]();
    await whenGone(alive);
  }, 120_000);

  it('2. "an idle timer that never arms while a half-open GET stream hangs": the server sleeps', async () => {
    await using folder = await createTempFolder();
    const journal = join(folder.path, 'journal');
    await using coordinator = await startCoordinator({
      mcpServers: { one: entry(journal, 0, { idleMs: 1000 }) },
    });
    // The client of the legacy era keeps a GET stream open from its handshake on.
    const client = await connectV2(coordinator.serverUrl('one'), 'legacy');
    const pid = Number(textOf(await client.callTool({ name: 'churn', arguments: {} })));
    await whenGone([pid], 30_000);
    expect(textOf(await client.callTool({ name: 'churn', arguments: {} }))).not.toBe(String(pid));
    await client.close();
  }, 60_000);

  it('8. "memory growing with session churn": sessions that are opened and left are let go', async () => {
    await using coordinator = await startCoordinator({ config: { limits: { maxSessions: 50 } } });
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    };
    const open = async () => {
      const answer = await fetch(coordinator.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify(initialize),
      });
      await answer.text();
      return answer.status;
    };
    for (let i = 0; i < 20; i++)
      expect(new Set(await Promise.all(Array.from({ length: 20 }, open)))).toEqual(new Set([200]));
    const status = (await (await fetch(`${coordinator.origin}/api/v1/status`)).json()) as {
      sessions: number;
    };
    expect(status.sessions).toBeLessThanOrEqual(50);
  }, 60_000);

  it('9. "a cold-start storm and a stalled list": starts are bounded, and lists answer meanwhile', async () => {
    await using folder = await createTempFolder();
    const journal = join(folder.path, 'journal');
    const names = Array.from({ length: 60 }, (_, i) => `server-${i}`);
    const starting = startCoordinator({
      servers: 5,
      mcpServers: Object.fromEntries(names.map((name) => [name, entry(journal, 50)])),
      config: { limits: { startConcurrency: 6 } },
      timeoutMs: 110_000,
    });
    await using coordinator = await starting;
    const client = await connectV2(coordinator.url, 'modern');
    const { tools } = await client.listTools();
    expect(tools.filter(({ name }) => name.endsWith('__churn'))).toHaveLength(60);
    const most = mostAtOnce(await readFile(journal, 'utf8'));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(6);
    await client.close();
  }, 120_000);

  it('10. "one bad backend floods everyone with list_changed": what did not change is not told', async () => {
    await using folder = await createTempFolder();
    const journal = join(folder.path, 'journal');
    await using coordinator = await startCoordinator({ mcpServers: { bad: entry(journal, 0) } });
    const client = await connectV2(coordinator.url, 'legacy');
    let told = 0;
    client.setNotificationHandler('notifications/tools/list_changed', () => void (told += 1));
    for (let i = 0; i < 5; i++) await client.callTool({ name: 'bad__churn', arguments: { n: 200 } });
    // The flood has arrived, as an answer that was sent after it is here.
    const { tools } = await eventually('the tools', () => client.listTools());
    expect(tools.map(({ name }) => name)).toContain('bad__churn');
    expect(told).toBe(0);
    await client.close();
  }, 60_000);
});
