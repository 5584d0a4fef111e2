/** The ports: free, ours already, or someone else's. */

import { createServer } from 'node:net';
import type { Config } from '../../config/schema.ts';
import type { CliContext } from '../context.ts';
import { findCoordinator } from '../find-coordinator.ts';
import { createRestClient } from '../rest-client.ts';
import type { Finding } from './finding.ts';
import { portOwner } from './port-owner.ts';

/** Ports that instances take first; further ones are used by large installations only. */
const instancePorts = [
  ...Array.from({ length: 500 }, (_, index) => 3100 + index),
  ...Array.from({ length: 10 }, (_, index) => 4100 + index),
];
const statusTimeoutMs = 3000;

/** Undefined when the port can be had, else the system's code, e.g. EADDRINUSE. */
function tryListen(host: string, port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  return promise;
}

/** Data folder of the coordinator that answers on a port, if one does. */
async function coordinatorAt(
  { host, port, tls, dataDir }: Config,
  context: CliContext,
): Promise<string | undefined> {
  try {
    const scheme = tls.cert === undefined ? 'http' : 'https';
    const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
    const client = createRestClient(url, await findCoordinator({ url, data: dataDir }, context));
    return (await client.call('status', {}, statusTimeoutMs)).dataDir;
  } catch {
    return undefined;
  }
}

/** The coordinator's own port. */
export async function checkPort(config: Config, context: CliContext): Promise<Finding> {
  const { host, port, dataDir } = config;
  const check = `port ${port}`;
  const code = await tryListen(host, port);
  if (code === undefined)
    return { check, status: 'ok', detail: port === 0 ? 'any free one' : `free on ${host}` };
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return {
      check: `host ${host}`,
      status: 'fail',
      detail: 'is no address of this machine',
      fix: 'use --host 127.0.0.1',
    };
  }
  if (code === 'EACCES') {
    return {
      check,
      status: 'fail',
      detail: 'may not be opened by this user',
      fix: 'choose one above 1023 with --port',
    };
  }
  const other = await coordinatorAt(config, context);
  if (other === dataDir) return { check, status: 'ok', detail: 'in use by the coordinator that runs' };
  const owner =
    other === undefined
      ? ((await portOwner(port, context.platform)) ?? 'another program')
      : `a coordinator with the data folder ${other}`;
  return {
    check,
    status: 'fail',
    detail: `in use by ${owner}`,
    fix: 'stop it, or choose another port with --port',
  };
}

/** The instances' own ports, when they are switched on. */
export async function checkInstancePorts(
  { host, instancePorts: isOn }: Config,
  { platform }: CliContext,
): Promise<Finding | undefined> {
  if (!isOn) return undefined;
  const used: number[] = [];
  for (const port of instancePorts) if ((await tryListen(host, port)) !== undefined) used.push(port);
  const check = 'instance ports';
  const [first] = used;
  if (first === undefined) return { check, status: 'ok', detail: 'free' };
  const owner = await portOwner(first, platform);
  const detail = `${used.length} in use, the first is ${first}${owner === undefined ? '' : ` by ${owner}`}`;
  return {
    check,
    status: 'warn',
    detail,
    fix: 'fine if the coordinator runs; else stop what listens there or start without --ports',
  };
}
