/**
 * The remotes of the config as the memory takes them: paths absolute, credentials read when they are needed.
 * Part of the composition root, like `coordinator.ts`.
 */

import type { LoadedConfig } from './config/load-config.ts';
import { resolveReference } from './config/resolve-secrets.ts';
import type { RemoteOptions } from './memory/sync/remote-git.ts';
import { absoluteRemoteUrl } from './memory/sync/remote-url.ts';

/** The remotes by the order of the file. */
export function memoryRemotes({ config, baseDir, file }: LoadedConfig): RemoteOptions[] {
  return Object.entries(config.memory.remotes).map(([name, { url, credential, ...remote }]) => ({
    ...remote,
    name,
    url: absoluteRemoteUrl(url, baseDir),
    ...(credential && {
      readCredential: () =>
        resolveReference(credential, `memory.remotes.${name}.credential`, {
          baseDir,
          ...(file !== undefined && { file }),
        }),
    }),
  }));
}
