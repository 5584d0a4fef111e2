/**
 * The catalog in the memory: what each server offers, under `coordinator/catalog/<server>/`, one commit a change, so
 * that `git log -p` shows what a server changed and when.
 */

import { hash } from 'node:crypto';
import { isAppError, messageOf } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import type { Logger } from '../../kernel/log.ts';
import { catalogFolder, recordScope } from '../../kernel/memory/record-keys.ts';
import type { MemoryCaller, MemoryClient } from '../../kernel/memory/operations.ts';
import { stableJson } from '../../kernel/stable-json.ts';
import type { InstanceSpec, ServerSource } from '../instance-spec.ts';
import type { Listing } from '../listing.ts';

export interface CatalogRecorder extends AsyncDisposable {
  /** Has what a server offers written down soon, if it differs from what is written. Never throws. */
  record(spec: InstanceSpec, offered: Listing): void;
  /** Resolves when all that was asked for is written. */
  settled(): Promise<void>;
}

const scope = recordScope;
const pageSize = 1000;
/** Values in one `store_many`. */
const batchSize = 1000;

/** Sources of built-in instances: those of one definition share a record. */
const ours: readonly ServerSource[] = ['built-in', 'deployed'];

/** Where a server's definitions are: a built-in's by its name, for all instances offer the same. */
export function catalogPath({ source, name, id }: InstanceSpec): string {
  return `${catalogFolder}/${ours.includes(source) ? `built-in/${name}` : id}`;
}

export function createCatalogRecorder(memory: MemoryClient, logger: Logger): CatalogRecorder {
  /** The newest of each place, waiting to be written. */
  const waiting = new Map<string, Listing>();
  /** Digests of what was written last. */
  const written = new Map<string, string>();
  /** Places of built-ins that are written or waiting; their code does not change while it runs. */
  const builtIn = new Set<string>();
  let running: Promise<void> | undefined;
  let isClosed = false;

  async function run(): Promise<void> {
    for (;;) {
      const [next] = waiting;
      if (!next || isClosed) {
        // Here and not later: who records from now on has to start the next run.
        running = undefined;
        return;
      }
      const [path, listing] = next;
      waiting.delete(path);
      try {
        await write(path, listing);
      } catch (error) {
        written.delete(path);
        builtIn.delete(path);
        // The catalog is a record: a server is served without it.
        if (!isClosed)
          logger.warn({ path, problem: messageOf(error) }, 'could not record what a server offers');
      }
    }
  }

  async function write(path: string, listing: Listing): Promise<void> {
    // An author of its own for each server: commits of one author may be made as one.
    const caller = callerFor(path);
    const values = valuesOf(path, listing);
    const digest = hash('sha256', stableJson([...values]), 'hex');
    if (written.get(path) === digest) return;
    const known = await readAll(path);
    const entries = [...values]
      .filter(([key, value]) => stableJson(known.get(key)) !== stableJson(value))
      .map(([key, value]) => ({ key, value }));
    for (let at = 0; at < entries.length; at += batchSize) {
      await memory.call('store_many', { scope, entries: entries.slice(at, at + batchSize) }, caller);
    }
    for (const key of known.keys()) if (!values.has(key)) await memory.call('delete', { scope, key }, caller);
    written.set(path, digest);
  }

  async function readAll(path: string): Promise<Map<string, unknown>> {
    const caller = callerFor(path);
    const keys = [`${path}/server`, ...(await toolKeys(path))];
    const values = new Map<string, unknown>();
    for (const key of keys) {
      const value = await read(key, caller);
      if (value !== undefined) values.set(key, value);
    }
    return values;
  }

  async function toolKeys(path: string): Promise<string[]> {
    const caller = callerFor(path);
    const keys: string[] = [];
    let cursor: string | undefined;
    do {
      const query = {
        scope,
        prefix: `${path}/tools/`,
        limit: pageSize,
        ...(cursor !== undefined && { cursor }),
      };
      const page = await memory.call('list', query, caller);
      keys.push(...page.items.map(({ key }) => key));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return keys;
  }

  async function read(key: string, caller: MemoryCaller): Promise<unknown> {
    try {
      return (await memory.call('retrieve', { scope, key }, caller)).value;
    } catch (error) {
      if (isAppError(error, 'MEMORY_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  async function settled(): Promise<void> {
    await running;
  }

  return {
    record(spec, offered) {
      const path = catalogPath(spec);
      // A thousand instances of a built-in offer the same.
      if (isClosed || (ours.includes(spec.source) && builtIn.has(path))) return;
      if (ours.includes(spec.source)) builtIn.add(path);
      waiting.set(path, offered);
      running ??= run();
    },
    settled,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await settled();
    },
  };
}

function callerFor(path: string): MemoryCaller {
  return { actor: `catalog:${path.slice(path.lastIndexOf('/') + 1)}`, agent: 'coordinator' };
}

/** Keys and values of a listing: the server's own words, and a file for each tool. */
function valuesOf(path: string, { era, server, tools }: Listing): Map<string, JsonObject> {
  const { info, capabilities, instructions } = server;
  const values = new Map<string, JsonObject>([
    [`${path}/server`, { era, info, capabilities, ...(instructions !== undefined && { instructions }) }],
  ]);
  for (const tool of tools) {
    const name = segmentOf(String(tool['name']));
    if (name !== '') values.set(`${path}/tools/${name}`, tool);
  }
  return values;
}

/** Names are the servers' own: no slash or dots may make another folder of one. */
function segmentOf(name: string): string {
  const escaped = encodeURIComponent(name.toWellFormed());
  return /^\.+$/.test(escaped) ? escaped.replaceAll('.', '%2E') : escaped;
}
