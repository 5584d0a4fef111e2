/** Brings `mcpServers` pasted from other clients into the one form of the schema. */

import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';

/** Top-level keys under which clients keep their servers: VS Code, Zed, and the common form once more. */
const wrappers = ['servers', 'context_servers', 'mcpServers'];
/** What may stand beside them and means nothing here. */
const companions = new Set([...wrappers, 'inputs', '$schema']);

function isEntry(value: JsonObject): boolean {
  return ['command', 'url', 'serverUrl', 'httpUrl', 'builtin', 'args'].some(
    (key) => typeof value[key] === 'string' || Array.isArray(value[key]),
  );
}

/** `{servers: {…}, inputs: […]}` → what is inside; anything else unchanged. */
function unwrap(servers: JsonObject): JsonObject {
  if (!Object.keys(servers).every((key) => companions.has(key))) return servers;
  const inner = wrappers.map((key) => servers[key]).find((value) => isJsonObject(value) && !isEntry(value));
  return isJsonObject(inner) ? inner : servers;
}

/** Zed's `command: {path, args, env}` and `source`, Windsurf's `serverUrl`, Gemini's `httpUrl`; the rest stays. */
function flatten(entry: unknown): unknown {
  if (!isJsonObject(entry)) return entry;
  const { source, serverUrl, httpUrl, ...rest } = entry;
  const flat: JsonObject = { ...rest };
  if (source !== undefined && source !== 'custom') flat['source'] = source;
  if (flat['url'] === undefined && (serverUrl ?? httpUrl) !== undefined) flat['url'] = serverUrl ?? httpUrl;
  if (isJsonObject(flat['command']) && typeof flat['command']['path'] === 'string') {
    const { path, ...others } = flat['command'];
    return { ...flat, ...others, command: path };
  }
  return flat;
}

/** The servers of a pasted block in our form; what is no map is returned as it is, for the schema to refuse. */
export function fromPasted(servers: unknown): unknown {
  if (!isJsonObject(servers)) return servers;
  return Object.fromEntries(Object.entries(unwrap(servers)).map(([name, entry]) => [name, flatten(entry)]));
}
