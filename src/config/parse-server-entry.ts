/** Checks one `mcpServers` entry that did not come out of the config file: added over the API or by a command. */

import type { JsonObject } from '../kernel/json-rpc.ts';
import { describeIssues, invalidConfig } from './config-issues.ts';
import { fromPasted } from './pasted-servers.ts';
import { configShape } from './schema.ts';
import type { ServerEntryConfig } from './server-entry.ts';

/** The entry in the schema's form, references unread; throws CONFIG_INVALID naming a wrong key and the nearest right one. */
export function parseServerEntry(name: string, entry: unknown): ServerEntryConfig {
  const servers = fromPasted({ [name]: entry } satisfies JsonObject);
  const result = configShape.safeParse({ mcpServers: servers });
  if (!result.success)
    throw invalidConfig(describeIssues(result.error, () => ({ origin: `server ${name}` })));
  return Object.values(result.data.mcpServers)[0]!;
}
