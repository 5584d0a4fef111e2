/** Whether an instance works, told by a real call. */

import { AppError } from '../kernel/errors.ts';
import type { Probe } from '../kernel/define-server.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';
import type { Instance } from '../pool/instance.ts';

/** Longest time for one answer, milliseconds. */
const timeoutMs = 30_000;

/**
 * Calls the probe's tool; an instance without one has its tools listed and is pinged. Rejects as the call does, or
 * UPSTREAM_FAILED with what the tool complained about.
 */
export async function checkInstance(instance: Instance, probe: Probe | undefined): Promise<void> {
  if (!probe) return await listAndPing(instance);
  const result = await instance.request(
    'tools/call',
    { name: probe.tool, arguments: probe.arguments },
    { timeoutMs },
  );
  if (result['isError'] !== true) return;
  throw new AppError('UPSTREAM_FAILED', {
    server: instance.spec.id,
    problem: `${probe.tool}: ${textOf(result)}`,
  });
}

async function listAndPing(instance: Instance): Promise<void> {
  const connection = await instance.acquire();
  const ask = (method: string, params?: JsonObject) =>
    instance.request(method, params, { timeoutMs }, connection);
  if (connection.server.capabilities['tools'] !== undefined) await ask('tools/list', {});
  // The modern era has no ping.
  await (connection.era === 'modern' ? ask('server/discover', {}) : ask('ping'));
}

function textOf({ content }: JsonObject): string {
  const [first] = Array.isArray(content) ? (content as JsonObject[]) : [];
  return typeof first?.['text'] === 'string' ? first['text'].slice(0, 500) : 'it says no more';
}
