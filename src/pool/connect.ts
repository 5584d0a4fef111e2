/** Opens what a spec describes over the transport it names. */

import { join } from 'node:path';
import type { InstanceSpec } from '../catalog/instance-spec.ts';
import type { LinkCredentials } from '../kernel/link-credentials.ts';
import type { Logger } from '../kernel/log.ts';
import { createSsrfGuard } from '../kernel/ssrf-guard.ts';
import type { Hosts } from '../transport/in-process/hosts.ts';
import { createProcessWatch } from '../transport/child/process-watch.ts';
import type { ProcessLedger } from '../transport/process-ledger.ts';
import { connectStdio } from '../transport/stdio.ts';
import { connectHttp } from '../transport/streamable-http.ts';
import type { Connect } from './instance-types.ts';

export interface ConnectDependencies {
  readonly hosts: Hosts;
  readonly ledger: ProcessLedger;
  readonly logger: Logger;
  /** Absolute; built-in servers write under `<dataDir>/servers/<name>`. */
  readonly dataDir: string;
  /** Time between two looks at what child processes use, milliseconds. */
  readonly watchIntervalMs?: number;
  /** What a link says of who we are. */
  readonly credentials?: ((spec: InstanceSpec) => Promise<LinkCredentials> | undefined) | undefined;
  /** Changes each line of standard error before it is kept. */
  readonly redact?: (line: string) => string;
}

/** The folder that all instances of one definition share. */
function serverDataDir(dataDir: string, spec: InstanceSpec): string {
  return join(dataDir, 'servers', spec.name);
}

export function createConnect(deps: ConnectDependencies): Connect {
  const { hosts, ledger, logger, dataDir, redact = (line: string) => line } = deps;
  const processWatch = createProcessWatch({ logger, intervalMs: deps.watchIntervalMs });
  return async (spec, events, onStderr, signal) => {
    const { launch } = spec;
    if (launch.kind === 'in-process') {
      return await hosts.connect(
        {
          server: spec.id,
          module: launch.module,
          instance: {
            id: spec.id,
            name: spec.name,
            category: spec.category,
            port: spec.port,
            dataDir: serverDataDir(dataDir, spec),
          },
          settings: launch.settings,
        },
        events,
      );
    }
    if (launch.kind === 'stdio') {
      return await connectStdio(
        {
          server: spec.id,
          command: launch.command,
          args: [...launch.args],
          env: { ...launch.env },
          ...(launch.cwd !== undefined && { cwd: launch.cwd }),
          ...(launch.limits && { limits: launch.limits }),
          era: launch.era,
        },
        events,
        { logger, ledger, processWatch, onStderr: (line) => onStderr(redact(line)), signal },
      );
    }
    const credentials = await deps.credentials?.(spec);
    return await connectHttp(
      {
        ...(credentials && { credentials }),
        server: spec.id,
        url: launch.url,
        headers: { ...launch.headers },
        era: launch.era,
        ...(launch.bounds && { guard: createSsrfGuard(launch.bounds) }),
      },
      events,
      { logger, signal },
    );
  };
}
