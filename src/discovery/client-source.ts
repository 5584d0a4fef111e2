/** Servers of another MCP client on this machine: its config file is read and followed, never written. */

import { dirname, join } from 'node:path';
import type { ClientConfig } from '../config/discovery-shape.ts';
import { clientFolders, type ClientEnvironment } from '../config/clients/client-paths.ts';
import { clients, type McpClient } from '../config/clients/clients.ts';
import { isOurs, readClientFile } from '../config/clients/read-client-file.ts';
import { parseServerEntry } from '../config/parse-server-entry.ts';
import { entryKeys } from '../config/server-entry.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';
import type { Announcement, DiscoverySource, Findings, Report } from './announcement.ts';
import { watchFolder } from './watch-folder.ts';

export interface ClientSourceOptions extends ClientConfig {
  /** The project folder, absolute. */
  readonly folder?: string;
}

/** The file of a client: in the project folder, or the person's own. Undefined when the client has none in projects. */
export function clientFile(
  client: McpClient,
  folder: string | undefined,
  environment: ClientEnvironment,
): string | undefined {
  if (folder === undefined) return client.userFile(clientFolders(environment));
  return client.projectFile === undefined ? undefined : join(folder, client.projectFile);
}

/** Undefined for a client that has no file in projects. */
export function createClientSource(
  options: ClientSourceOptions,
  report: Report,
  environment: ClientEnvironment = process,
  clock: Clock = systemClock,
): DiscoverySource | undefined {
  const client = clients.find(({ name }) => name === options.client);
  const file = client && clientFile(client, options.folder, environment);
  if (!client || file === undefined) return undefined;
  // Variables such as ${workspaceFolder} mean the project, not the folder of the file.
  const baseDir = options.folder ?? dirname(file);
  let last: readonly Announcement[] = [];
  let reported = '';

  function announce(servers: Readonly<Record<string, JsonObject>>): Findings {
    const found: Announcement[] = [];
    const problems: string[] = [];
    for (const [name, given] of Object.entries(servers)) {
      if (isOurs(name, given)) continue;
      // Keys that mean something to that client only.
      const known = Object.entries(given).filter(([key]) => entryKeys.includes(key));
      try {
        const entry = parseServerEntry(name, Object.fromEntries(known));
        if (entry.disabled !== true) found.push({ name, entry, origin: file!, baseDir });
      } catch (error) {
        problems.push(`${file}: ${messageOf(error)}`);
      }
    }
    last = found;
    return { servers: found, problems };
  }

  async function look(): Promise<void> {
    const servers = await readClientFile(file!, client!);
    const findings = servers ? announce(servers) : { servers: last, problems: [`${file}: cannot be read`] };
    const text = JSON.stringify(findings);
    if (text === reported) return;
    reported = text;
    await report(findings);
  }

  const watching = watchFolder(dirname(file), look, { clock });
  return { kind: 'client', origin: file, look, [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose]() };
}
