/** MCP servers that other clients on this machine already have. */

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseJsonc } from '../../config/jsonc.ts';
import { fromPasted } from '../../config/pasted-servers.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { type ClientFolders, clientFolders } from '../clients/client-paths.ts';
import { clients, type McpClient } from '../clients/clients.ts';
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
const maxBytes = 32 * 1024 * 1024;

function filesOf(client: McpClient, folders: ClientFolders, projectDir: string): string[] {
  const project = client.projectFile === undefined ? [] : [join(projectDir, client.projectFile)];
  return [...project, client.userFile(folders)];
}

/** Our own entry, as `connect` writes it, must not be taken over: it would lead the coordinator to itself. */
function isOurs(name: string, entry: JsonObject): boolean {
  const text = JSON.stringify(entry);
  return (
    /git-memory-mcp/.test(text) ||
    (name.startsWith('git-memory') && /\/mcp"/.test(text)) ||
    /"stdio","--url","[^"]*\/mcp"/.test(text)
  );
}

async function readServers(file: string, client: McpClient): Promise<Record<string, JsonObject> | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true || found.size > maxBytes) return {};
  try {
    const top = parseJsonc(await readFile(file, 'utf8'), file);
    const servers = isJsonObject(top) ? fromPasted(top[client.rootKey] ?? {}) : {};
    if (!isJsonObject(servers)) return undefined;
    return Object.fromEntries(
      Object.entries(servers).filter((pair): pair is [string, JsonObject] => isJsonObject(pair[1])),
    );
  } catch {
    return undefined;
  }
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
      const servers = await readServers(file, client);
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
