/** From a client's name on the command line to its config file and our entry in it. */

import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nearestOf } from '../../config/nearest.ts';
import { AppError } from '../../kernel/errors.ts';
import { clientFolders } from '../../config/clients/client-paths.ts';
import { clientNames, clients, type McpClient, type Reach } from '../../config/clients/clients.ts';
import type { CliContext } from '../context.ts';

/** Throws NOT_FOUND naming the nearest client. */
export function findClient(name: string): McpClient {
  const client = clients.find((one) => one.name === name.toLowerCase());
  if (client) return client;
  const nearest = nearestOf(name, clientNames);
  const advice = nearest === undefined ? `known: ${clientNames.join(', ')}` : `did you mean ${nearest}?`;
  throw new AppError('NOT_FOUND', { what: 'client', id: `${name} (${advice})` });
}

/** The person's file, or the project's in the current folder. Throws INVALID_INPUT for a client without project files. */
export function clientFile(client: McpClient, isProject: boolean, context: CliContext): string {
  if (!isProject) return client.userFile(clientFolders(context));
  if (client.projectFile !== undefined) return resolve(context.cwd, client.projectFile);
  throw new AppError('INVALID_INPUT', {
    field: '--project',
    problem: `${client.title} has no config file in projects`,
  });
}

/** The script of this command: `main.ts` in a checkout, `main.js` in a published build. */
function scriptPath(): string {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  return fileURLToPath(new URL(`../main${extension}`, import.meta.url));
}

const isFetchedByNpx = (script: string): boolean => /[\\/]_npx[\\/]/.test(script);

/** What a person types in a folder to run this command again: it need not be on PATH. */
export function ownCommand(folder: string, script = scriptPath()): string {
  if (isFetchedByNpx(script)) return 'npx git-memory-mcp-server';
  const root = resolve(dirname(script), '../..');
  if (extname(script) === '.ts')
    return folder === root ? 'npm run cli --' : `"${process.execPath}" "${script}"`;
  return dirname(root) === join(folder, 'node_modules') ? 'npx git-memory-mcp' : 'git-memory-mcp';
}

/**
 * How a client reaches an endpoint: its URL, or the stdio bridge, through npx unless this command is installed for good.
 * The bridge finds the certificate to trust in `dataDir`.
 */
export function reachOf(url: string, dataDir?: string): Reach {
  const script = scriptPath();
  const args = ['stdio', '--url', url, ...(dataDir === undefined ? [] : ['--data', dataDir])];
  // What npx fetched is gone with its cache; everything else stays where it is.
  const bridge = isFetchedByNpx(script)
    ? { command: 'npx', args: ['-y', 'git-memory-mcp-server', ...args] }
    : { command: process.execPath, args: [script, ...args] };
  return { url, bridge };
}
