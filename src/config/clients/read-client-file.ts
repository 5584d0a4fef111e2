/** Reads the MCP servers out of another client's config file. Nothing is ever written there. */

import { readFile, stat } from 'node:fs/promises';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { parseJsonc } from '../jsonc.ts';
import { fromPasted } from '../pasted-servers.ts';
import type { McpClient } from './clients.ts';

const maxBytes = 32 * 1024 * 1024;

/** Our own entry, as `connect` writes it, must not be taken over: it would lead the coordinator to itself. */
export function isOurs(name: string, entry: JsonObject): boolean {
  const text = JSON.stringify(entry);
  return (
    /git-memory-mcp/.test(text) ||
    (name.startsWith('git-memory') && /\/mcp"/.test(text)) ||
    /"stdio","--url","[^"]*\/mcp"/.test(text)
  );
}

/** The servers of a client's file by name, in our form; none if there is no file, undefined if it cannot be read. */
export async function readClientFile(
  file: string,
  client: McpClient,
): Promise<Record<string, JsonObject> | undefined> {
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
