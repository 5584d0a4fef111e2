/** Servers by file drop: each JSON or YAML file of a folder is one entry, named by the file. */

import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { readConfigFile } from '../config/config-file.ts';
import { parseServerEntry } from '../config/parse-server-entry.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { Announcement, DiscoverySource, Findings, Report } from './announcement.ts';
import { watchFolder } from './watch-folder.ts';

/** Files of an editor at work and hidden ones are not looked at. */
const entryFile = /^[^.#~].*\.(?:json|ya?ml)$/i;

/** More files than a coordinator has servers are a mistake. */
const maxFiles = 10_000;

interface Seen {
  /** Size, time and inode: a file that has not changed is not read again. */
  readonly mark: string;
  readonly server?: Announcement;
  readonly problem?: string;
}

/** `folder` is absolute. Who may write there runs programs as the coordinator, so a folder of everyone's is refused. */
export function createFolderSource(
  folder: string,
  report: Report,
  clock: Clock = systemClock,
): DiscoverySource {
  let seen = new Map<string, Seen>();
  let reported = '';

  async function read(file: string, name: string, mark: string, former: Seen | undefined): Promise<Seen> {
    try {
      const { value } = await readConfigFile(file);
      const entry = parseServerEntry(name, value);
      return { mark, server: { name, entry, origin: file, baseDir: folder } };
    } catch (error) {
      // A file that is half written keeps what it said before; the rest of it is another change.
      return { mark, ...(former?.server && { server: former.server }), problem: messageOf(error) };
    }
  }

  async function scan(): Promise<Findings> {
    const problem = await problemOf(folder);
    if (problem !== undefined) {
      seen = new Map();
      return { servers: [], problems: [problem] };
    }
    const next = new Map<string, Seen>();
    const files = (await readdir(folder)).filter((file) => entryFile.test(file)).sort();
    for (const file of files.slice(0, maxFiles)) {
      const path = join(folder, file);
      const found = await stat(path).catch(() => undefined);
      if (found?.isFile() !== true) continue;
      const mark = `${found.size} ${found.mtimeMs} ${found.ino}`;
      const former = seen.get(file);
      const name = file.slice(0, -extname(file).length);
      next.set(file, former?.mark === mark ? former : await read(path, name, mark, former));
    }
    seen = next;
    const all = [...next.values()];
    return {
      servers: all.flatMap(({ server }) => server ?? []),
      problems: all.flatMap(({ problem: text }) => text ?? []),
    };
  }

  async function look(): Promise<void> {
    const findings = await scan().catch((error: unknown): Findings => ({
      servers: [...seen.values()].flatMap(({ server }) => server ?? []),
      problems: [`${folder}: ${messageOf(error)}`],
    }));
    const text = JSON.stringify(findings);
    if (text === reported) return;
    reported = text;
    await report(findings);
  }

  const watching = watchFolder(folder, look, { clock });
  return {
    kind: 'folder',
    origin: folder,
    look,
    [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose](),
  };
}

async function problemOf(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch(() => undefined);
  if (!found) return `${folder}: there is no such folder`;
  if (!found.isDirectory()) return `${folder}: is not a folder`;
  const isOpenToAll = process.platform !== 'win32' && (found.mode & 0o002) !== 0;
  if (!isOpenToAll) return undefined;
  return `${folder}: everyone may write there, and so start programs here; take that away with: chmod o-w ${folder}`;
}
