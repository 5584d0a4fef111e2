/** Changes of the config while calls are under way: servers come, go and are replaced; some configs are not valid. */

import { readFile, rename, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReloadReport } from '../../../src/contract/rest/config-routes.ts';
import { eventually } from '../../e2e/eventually.ts';
import { listTools } from './callers.ts';
import type { ChaosServer, Fleet } from './fleet.ts';
import type { Judge } from './judge.ts';
import { modernClient } from './mcp-client.ts';

export interface Guests {
  /** Servers that may be called: there, and not about to go. */
  readonly available: readonly ChaosServer[];
  /** One change of the config; resolves when it is in force. */
  change(): Promise<string>;
  readonly reloads: number;
}

export function createGuests(options: {
  readonly origin: string;
  readonly configFile: string;
  readonly fleet: Fleet;
  readonly random: () => number;
  readonly judge: Judge;
}): Guests {
  const { origin, configFile, fleet, random, judge } = options;
  const present = new Set(fleet.servers);
  const epochs = new Map<string, number>();
  let available: readonly ChaosServer[] = fleet.servers;
  let reloads = 0;
  let base: object | undefined;

  const pick = (list: readonly ChaosServer[]) => list[Math.floor(random() * list.length)];

  async function reload(): Promise<ReloadReport | undefined> {
    const response = await fetch(`${origin}/api/v1/config/reload`, { method: 'POST' });
    reloads += 1;
    return response.ok ? ((await response.json()) as ReloadReport) : undefined;
  }

  async function write(extra: object = {}): Promise<void> {
    base ??= JSON.parse(await readFile(configFile, 'utf8')) as object;
    const mcpServers = fleet.entries(
      (server) => present.has(server),
      (id) => epochs.get(id) ?? 0,
    );
    await writeFile(`${configFile}.new`, JSON.stringify({ ...base, mcpServers, ...extra }));
    await rename(`${configFile}.new`, configFile);
  }

  async function come(server: ChaosServer): Promise<string> {
    present.add(server);
    await write();
    const report = await reload();
    if (!report?.added.includes(server.id))
      judge.violation(`${server.id} did not come: ${JSON.stringify(report)}`);
    const client = modernClient(origin, '/mcp');
    await eventually(
      `the tools of ${server.id}`,
      async () => (await listTools(client)).has(`${server.id}__add`) || undefined,
      30_000,
    );
    available = [...available, server];
    return `${server.id} came`;
  }

  async function go(server: ChaosServer): Promise<string> {
    available = available.filter((one) => one !== server);
    present.delete(server);
    judge.replacing(server.unit);
    await write();
    const report = await reload();
    if (!report?.removed.includes(server.id))
      judge.violation(`${server.id} did not go: ${JSON.stringify(report)}`);
    return `${server.id} went`;
  }

  /** Its calls go on meanwhile, and none of them may notice. */
  async function replace(server: ChaosServer): Promise<string> {
    epochs.set(server.id, (epochs.get(server.id) ?? 0) + 1);
    judge.replacing(server.unit);
    await write();
    const report = await reload();
    judge.replacing(server.unit);
    if (report?.failed.some(({ id }) => id === server.id) === true) {
      // The new one met a fault while it started: the old one goes on. Another epoch is another try.
      return `${server.id} was not replaced: ${JSON.stringify(report.failed)}`;
    }
    if (!report?.replaced.includes(server.id))
      judge.violation(`${server.id} was not replaced: ${JSON.stringify(report)}`);
    return `${server.id} was replaced`;
  }

  async function spoilConfig(): Promise<string> {
    await write({ limits: { maxSessions: 'many' } });
    if (await reload()) judge.violation('a config that is not valid was taken');
    await write();
    await reload();
    return 'a config that is not valid was refused';
  }

  return {
    get available() {
      return available;
    },
    get reloads() {
      return reloads;
    },
    async change() {
      await delay(random() * 1000);
      const draw = random();
      const away = fleet.servers.filter((server) => server.isGuest && !present.has(server));
      const here = fleet.servers.filter((server) => server.isGuest && present.has(server));
      const coming = pick(away);
      const going = pick(here);
      if (draw < 0.1) return await spoilConfig();
      if (draw < 0.4) return await replace(pick(fleet.servers.filter(({ isGuest }) => !isGuest))!);
      if (coming && (draw < 0.7 || !going)) return await come(coming);
      return going ? await go(going) : 'nothing changed';
    },
  };
}
