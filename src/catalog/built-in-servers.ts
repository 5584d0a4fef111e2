/** What ships: the one list of built-in servers, in the order `--servers N` starts them. */

import type { ServerDefinition } from '../kernel/define-server.ts';
import imageProcessing from '../servers/ai-ml/image-processing.ts';
import httpClient from '../servers/api/http-client.ts';
import thinking from '../servers/core/3d-sco-thinking.ts';
import gitMemory from '../servers/core/git-memory-server.ts';
import sqlite from '../servers/database/sqlite.ts';
import localFileSystem from '../servers/filesystem/local-file-system.ts';
import systemMonitoring from '../servers/system/system-monitoring.ts';
import gitOperations from '../servers/version-control/git-operations.ts';

export interface BuiltIn {
  readonly definition: ServerDefinition;
  /** URL of the module a host worker imports; its default export is the definition. */
  readonly module: string;
}

/** Under which what it offers is kept, for all of its instances. */
export function builtInListingKey({ definition: { name, version } }: BuiltIn): string {
  return `built-in:${name}@${version}`;
}

/** `.ts` in the tree, `.js` in a published build. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

function builtIn(folder: string, definition: ServerDefinition): BuiltIn {
  return {
    definition,
    module: new URL(`../servers/${folder}/${definition.name}${extension}`, import.meta.url).href,
  };
}

export const builtInServers: readonly BuiltIn[] = [
  builtIn('core', gitMemory),
  builtIn('core', thinking),
  builtIn('database', sqlite),
  builtIn('filesystem', localFileSystem),
  builtIn('api', httpClient),
  builtIn('ai-ml', imageProcessing),
  builtIn('version-control', gitOperations),
  builtIn('system', systemMonitoring),
];
