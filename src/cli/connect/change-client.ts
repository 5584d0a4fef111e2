/** Puts our entry into a client's config file, and takes it out again. */

import { readFile, rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import type { McpClient } from '../../config/clients/clients.ts';
import { readMember, removeMember, setMember } from '../clients/edit-jsonc.ts';
import { writeFileSafely } from '../clients/write-file-safely.ts';
import { type ConnectionRecord, type ConnectionRecords, sha256 } from './connection-records.ts';

/** Which file to change for which client, and under which name. */
export interface ClientFile {
  readonly client: McpClient;
  /** Absolute path. */
  readonly file: string;
  /** Name of our entry. */
  readonly entry: string;
}

/** What `connectClient` did; `backup` is the path of the copy. */
export type ConnectOutcome = { readonly change: 'written' | 'unchanged'; readonly backup?: string };
/** What `disconnectClient` did. */
export type DisconnectOutcome = 'restored' | 'removed' | 'not-connected';

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** True for an entry that an earlier `connect` may have written, also on another machine. */
function looksOurs(entry: unknown): boolean {
  return /git-memory-mcp|"https?:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d+\/mcp/.test(
    JSON.stringify(entry) ?? '',
  );
}

/** Writes the entry; does nothing when it is there already. Throws INVALID_INPUT rather than replace a foreign one unless forced. */
export async function connectClient(
  place: ClientFile,
  value: JsonObject,
  records: ConnectionRecords,
  isForced: boolean,
): Promise<ConnectOutcome> {
  const { client, file, entry } = place;
  const content = await readIfThere(file);
  const text = content?.toString('utf8') ?? '';
  if (content && !Buffer.from(text).equals(content)) {
    throw new AppError('CONFIG_INVALID', { file, problem: 'is not UTF-8 text; it was left untouched' });
  }
  const current = readMember(text, client.rootKey, entry, file);
  if (isDeepStrictEqual(current, value)) return { change: 'unchanged' };
  const known = (await records.of(client.name, file)).find((record) => record.entry === entry);
  if (current !== undefined && !known && !isForced && !looksOurs(current)) {
    const problem = `${file} already has a server named ${entry}; choose another name, or --force`;
    throw new AppError('INVALID_INPUT', { field: '--name', problem });
  }
  const next = setMember(text, client.rootKey, entry, value, file);
  const at = new Date();
  const first: Pick<ConnectionRecord, 'backup' | 'isExact' | 'previous'> = known
    ? // The copy from before the first connect stays the one to go back to, if only we wrote since.
      {
        backup: known.backup,
        isExact: known.isExact && known.written === sha256(text),
        previous: known.previous,
      }
    : {
        backup: content && (await records.backUp(client.name, content, at)),
        isExact: true,
        previous: current,
      };
  // The record first: should the write fail, disconnect finds a file it need not touch.
  await records.put({
    ...first,
    client: client.name,
    file,
    entry,
    written: sha256(next),
    at: at.toISOString(),
  });
  await writeFileSafely(file, next);
  return { change: 'written', ...(first.backup !== undefined && { backup: first.backup }) };
}

/** Takes one entry back: the very file from before if nobody changed it since, else our entry only. */
async function takeBack(client: McpClient, record: ConnectionRecord): Promise<DisconnectOutcome> {
  const { file, entry, previous } = record;
  const content = await readIfThere(file);
  if (!content) return 'not-connected';
  if (record.isExact && sha256(content) === record.written) {
    if (record.backup === undefined) await rm(file);
    else await writeFileSafely(file, await readFile(record.backup));
    return 'restored';
  }
  const text = content.toString('utf8');
  const isThere = readMember(text, client.rootKey, entry, file) !== undefined;
  // An entry that someone took out already stays out.
  if (!isThere) return 'not-connected';
  const next =
    previous === undefined
      ? removeMember(text, client.rootKey, entry, file)
      : setMember(text, client.rootKey, entry, previous, file);
  await writeFileSafely(file, next);
  return 'removed';
}

/** Undoes every connect of a client's file, the last one first; tells what became of the file. */
export async function disconnectClient(
  client: McpClient,
  file: string,
  records: ConnectionRecords,
): Promise<DisconnectOutcome> {
  let outcome: DisconnectOutcome = 'not-connected';
  for (const record of await records.of(client.name, file)) {
    const taken = await takeBack(client, record);
    if (taken !== 'not-connected') outcome = taken;
    await records.remove(record);
  }
  return outcome;
}
