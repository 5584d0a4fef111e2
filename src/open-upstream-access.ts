/** How the gateway says who it is to servers, put together. Part of the composition root, like `coordinator.ts`. */

import type { InstanceSpec } from './catalog/instance-spec.ts';
import type { CallGuard } from './kernel/call-guard.ts';
import { systemClock } from './kernel/clock.ts';
import type { LinkCredentials } from './kernel/link-credentials.ts';
import type { Pool } from './pool/pool.ts';
import { createCredentialsGuard } from './secrets/credentials-guard.ts';
import type { LocalSecrets } from './secrets/local-secrets.ts';
import { createSignIns, type SignIns } from './secrets/oauth/sign-in.ts';
import {
  createUpstreamCredentials,
  type ServerAuth,
  type UpstreamCredentials,
} from './secrets/upstream-credentials.ts';

export interface UpstreamAccess {
  readonly credentials: UpstreamCredentials;
  readonly signIns: SignIns;
  readonly guard: CallGuard;
  readonly credentialsFor: (spec: InstanceSpec) => Promise<LinkCredentials> | undefined;
  /** Address of the coordinator for browsers, once it is known. */
  reachedAt(baseUrl: string): void;
}

export function openUpstreamAccess(deps: {
  readonly local: LocalSecrets;
  readonly noted: (text: string) => void;
  readonly pool: () => Pick<Pool, 'get'>;
}): UpstreamAccess {
  const { local, noted } = deps;
  const clock = systemClock;
  let baseUrl = '';
  const credentials = createUpstreamCredentials({ local, clock, noted });
  const signIns = createSignIns({ credentials, local, clock, baseUrl: () => baseUrl });
  const serverOf = (id: string) => {
    const spec = deps.pool().get(id)?.spec;
    return spec && authOf(spec);
  };
  return {
    credentials,
    signIns,
    guard: createCredentialsGuard({ credentials, signIns, serverOf, clock }),
    credentialsFor(spec) {
      const server = authOf(spec);
      return server && credentials.of(server, spec.credentialOwner);
    },
    reachedAt(url) {
      baseUrl = url;
    },
  };
}

function authOf({ id, auth, launch }: InstanceSpec): ServerAuth | undefined {
  if (!auth || launch.kind !== 'streamable-http') return undefined;
  return { id, url: launch.url, auth, bounds: launch.bounds };
}
