/**
 * Which servers run: those of the config, the built-ins asked for, and those added while a coordinator ran.
 * Part of the composition root, like `coordinator.ts`: it brings config, catalog, store and pool together.
 */

import { builtInServers } from './catalog/built-in-servers.ts';
import { createPortLedger } from './catalog/categories.ts';
import type { InstanceSpec } from './catalog/instance-spec.ts';
import { planBuiltIns } from './catalog/plan-built-ins.ts';
import { specFromEntry } from './catalog/plan-entries.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { parseServerEntry } from './config/parse-server-entry.ts';
import { resolveSecrets } from './config/resolve-secrets.ts';
import type { ServerEntryConfig } from './config/server-entry.ts';
import type { ServerRegistry } from './http/routes/servers.ts';
import { AppError, messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import type { Pool } from './pool/pool.ts';
import type { AddedEntries } from './store/added-entries.ts';

export interface Refusal {
  readonly id: string;
  readonly reason: string;
}

export interface ServerRoster extends ServerRegistry {
  /** Puts all servers into the pool, none started; one that cannot be taken takes nothing from the others. */
  fill(): Promise<Refusal[]>;
}

export function createServerRoster(
  pool: Pool,
  { config, baseDir, file }: LoadedConfig,
  addedServers: AddedEntries,
  logger: Logger,
): ServerRoster {
  const ports = createPortLedger();

  async function toSpec(
    name: string,
    entry: ServerEntryConfig,
    source: 'config' | 'added',
  ): Promise<InstanceSpec> {
    const resolved = await resolveSecrets(entry, { baseDir, file, name });
    const pinned = { pin: config.catalog.pin, ...resolved };
    return specFromEntry(name, pinned, source, ports, builtInServers, config.health);
  }

  return {
    async fill() {
      const refusals: Refusal[] = [];
      const take = async (name: string, toInstance: () => Promise<InstanceSpec>): Promise<void> => {
        try {
          await pool.add(await toInstance());
        } catch (error) {
          refusals.push({ id: name, reason: messageOf(error) });
        }
      };
      for (const [name, entry] of Object.entries(config.mcpServers)) {
        if (entry.disabled !== true) await take(name, () => toSpec(name, entry, 'config'));
      }
      for (const spec of planBuiltIns(config.servers, builtInServers, ports, config.builtIn, config.health))
        await take(spec.id, async () => spec);
      for (const { name, entry } of await addedServers.all()) {
        await take(name, async () => await toSpec(name, parseServerEntry(name, entry), 'added'));
      }
      return refusals;
    },
    async add(name, entry) {
      const spec = await toSpec(name, parseServerEntry(name, entry), 'added');
      const instance = await pool.add(spec).catch((error: unknown) => {
        ports.release(spec.port);
        throw error;
      });
      await addedServers.put(name, entry);
      // A server that cannot start yet is still added; its state says so and it keeps trying.
      await instance.start().catch((error: unknown) => {
        logger.warn({ server: spec.id, problem: messageOf(error) }, 'server did not start');
      });
      return instance;
    },
    async remove(id) {
      const spec = pool.get(id)?.spec;
      if (!spec) throw new AppError('NOT_FOUND', { what: 'server', id });
      if (spec.source !== 'added') {
        const where =
          spec.source === 'config'
            ? 'the config file: remove it there'
            : 'the number of built-in servers: start fewer';
        throw new AppError('INVALID_INPUT', { field: 'id', problem: `${id} comes from ${where}` });
      }
      await pool.remove(id);
      ports.release(spec.port);
      await addedServers.remove(spec.name);
    },
  };
}
