/** Checks one entry of `memory.remotes` that did not come out of the config file: added over the API. */

import type { z } from 'zod';
import { describeIssues, invalidConfig } from './config-issues.ts';
import type { remoteShape } from './memory-shape.ts';
import { configShape } from './schema.ts';

/** A remote with its defaults. */
export type RemoteConfig = z.output<typeof remoteShape>;

/** The entry in the schema's form, its reference unread; throws CONFIG_INVALID naming the wrong value. */
export function parseRemote(name: string, entry: unknown): RemoteConfig {
  const result = configShape.safeParse({ memory: { remotes: { [name]: entry } } });
  if (!result.success)
    throw invalidConfig(describeIssues(result.error, () => ({ origin: `remote ${name}` })));
  return result.data.memory.remotes[name]!;
}
