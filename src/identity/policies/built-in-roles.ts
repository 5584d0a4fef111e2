/** The roles that are there without a policy, written as a policy would write them. */

import type { PolicyRole } from '../../contract/policy-shape.ts';

export const builtInRoles: Readonly<Record<string, PolicyRole>> = {
  owner: { description: 'May do everything, always.', allow: [{ actions: ['*'] }] },
  admin: {
    description: 'Runs everything and uses everything; leaves the policy and the end to the owner.',
    includes: ['developer', 'operator'],
    allow: [
      {
        actions: [
          'memory:forget',
          'memory:rekey',
          'secrets:read',
          'secrets:manage',
          'audit:read',
          'policy:read',
          'policy:test',
        ],
      },
    ],
  },
  operator: {
    description: 'Keeps things running without seeing what is in them.',
    includes: ['viewer'],
    allow: [
      {
        actions: [
          'servers:manage',
          'bundles:manage',
          'remotes:manage',
          'deployments:manage',
          'system:manage',
        ],
      },
      { actions: ['memory:backup', 'memory:verify', 'memory:reindex', 'memory:sync', 'limits:read'] },
    ],
  },
  developer: {
    description: 'Calls tools, uses the memory, and sees what runs.',
    includes: ['viewer', 'agent'],
  },
  agent: {
    description: 'Calls tools and uses the memory.',
    allow: [
      { actions: ['tools:call', 'prompts:get', 'resources:read', 'methods:call'] },
      { actions: ['memory:read', 'memory:write', 'memory:delete'] },
    ],
  },
  auditor: {
    description: 'Sees what runs, who may do what, and who did what.',
    includes: ['viewer'],
    allow: [{ actions: ['audit:read', 'policy:read', 'policy:test'] }],
  },
  viewer: {
    description: 'Sees what runs.',
    allow: [{ actions: ['servers:read', 'bundles:read', 'remotes:read', 'deployments:read', 'system:read'] }],
  },
};
