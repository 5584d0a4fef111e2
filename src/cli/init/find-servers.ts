/** MCP servers that other clients on this machine already have. */

import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isOurs, readClientFile } from '../../config/clients/read-client-file.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import { type ClientFolders, clientFolders } from '../../config/clients/client-paths.ts';
import { clients, type McpClient } from '../../config/clients/clients.ts';
import type { CliContext } from '../context.ts';

/** A server in the config of another client. */
export interface FoundServer {
  /** Unique among the found ones. */
  readonly name: string;
  readonly entry: JsonObject;
  /** Title of the client. */
  readonly client: string;
  readonly file: string;
}

/** All that was found. */
export interface FoundServers {
  readonly servers: readonly FoundServer[];
  /** Files that are there but cannot be read. */
  readonly unreadable: readonly string[];
}

/** Clients whose servers are taken over. */
const sources = ['claude-desktop', 'claude-code', 'cursor', 'vscode', 'windsurf', 'zed'];

function filesOf(client: McpClient, folders: ClientFolders, projectDir: string): string[] {
  const project = client.projectFile === undefined ? [] : [join(projectDir, client.projectFile)];
  return [...project, client.userFile(folders)];
}

/** A name that is free: the same server under the same name counts once, another one gets its client's name. */
function freeName(
  name: string,
  entry: JsonObject,
  client: McpClient,
  taken: ReadonlyMap<string, FoundServer>,
): string | undefined {
  const candidates = [
    name,
    `${name}-${client.name}`,
    ...Array.from({ length: 8 }, (_, index) => `${name}-${client.name}-${index + 2}`),
  ];
  for (const candidate of candidates.map((text) => text.slice(0, 64))) {
    const other = taken.get(candidate);
    if (!other) return candidate;
    if (isDeepStrictEqual(other.entry, entry)) return undefined;
  }
  return undefined;
}

/** Looks through the project's files first, then the person's own. */
export async function findServers(projectDir: string, context: CliContext): Promise<FoundServers> {
  const folders = clientFolders(context);
  const found = new Map<string, FoundServer>();
  const unreadable: string[] = [];
  for (const client of clients.filter(({ name }) => sources.includes(name))) {
    for (const file of filesOf(client, folders, projectDir)) {
      const servers = await readClientFile(file, client);
      if (!servers) unreadable.push(file);
      for (const [original, entry] of Object.entries(servers ?? {})) {
        if (isOurs(original, entry)) continue;
        const name = freeName(original, entry, client, found);
        if (name !== undefined) found.set(name, { name, entry, client: client.title, file });
      }
    }
  }
  return { servers: [...found.values()], unreadable };
}
