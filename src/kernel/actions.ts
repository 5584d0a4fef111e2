/** What can be allowed and denied: a noun and a verb each. Routes, guards, roles and policies speak of nothing else. */

/** What a rule about an action can be narrowed by. */
export type ActionDetail = 'tool' | 'server' | 'place' | 'nothing';

interface ActionRow {
  readonly about: string;
  /** `tool`: server, category and tool. `server`: server and category. `place`: scope and prefix of the memory. */
  readonly by: ActionDetail;
}

/** Every action. */
export const actionTable = {
  'tools:call': { about: 'see and call tools', by: 'tool' },
  'prompts:get': { about: 'see and get prompts', by: 'server' },
  'resources:read': { about: 'see, read and watch resources', by: 'server' },
  'methods:call': { about: 'call methods of a server that the gateway only passes on', by: 'server' },
  'memory:read': { about: 'read, list, search and compare memories, clone them', by: 'place' },
  'memory:write': { about: 'store, append, increment, restore, resolve, push', by: 'place' },
  'memory:delete': { about: 'delete memories; their history stays', by: 'place' },
  'memory:forget': { about: 'forget memories for good, history included', by: 'place' },
  'memory:rekey': { about: 'encrypt present values anew', by: 'nothing' },
  'memory:backup': { about: 'make and list backups', by: 'nothing' },
  'memory:verify': { about: 'check the memory from end to end', by: 'nothing' },
  'memory:reindex': { about: 'build the index anew', by: 'nothing' },
  'memory:sync': { about: 'exchange memories with remotes, see how that stands', by: 'nothing' },
  'servers:read': { about: 'see servers, their states, logs and changes', by: 'server' },
  'servers:manage': { about: 'add, remove, start, stop, scale and approve servers', by: 'server' },
  'bundles:read': { about: 'see bundles', by: 'nothing' },
  'bundles:manage': { about: 'add, change and remove bundles', by: 'nothing' },
  'remotes:read': { about: 'see Git remotes', by: 'nothing' },
  'remotes:manage': { about: 'add and remove Git remotes', by: 'nothing' },
  'deployments:read': { about: 'see deployments', by: 'nothing' },
  'deployments:manage': { about: 'deploy and take down phases', by: 'nothing' },
  'secrets:read': { about: 'see the names of secrets', by: 'nothing' },
  'secrets:manage': { about: 'set and remove secrets', by: 'nothing' },
  'limits:read': { about: 'see the limits of others', by: 'nothing' },
  'audit:read': { about: 'read and check the audit log', by: 'nothing' },
  'policy:read': { about: 'see the policy, its history, and why something is allowed', by: 'nothing' },
  'policy:test': { about: 'try a policy on examples', by: 'nothing' },
  'policy:manage': {
    about: 'change the policy, and what the coordinator keeps in the memory',
    by: 'nothing',
  },
  'system:read': { about: 'see status and metrics', by: 'nothing' },
  'system:manage': { about: 'reload the config', by: 'nothing' },
  'system:own': { about: 'stop the coordinator', by: 'nothing' },
} as const satisfies Record<string, ActionRow>;

export type Action = keyof typeof actionTable;

/** All of them, in the order of the table. */
export const actions = Object.keys(actionTable) as Action[];

export function isAction(text: string): text is Action {
  return Object.hasOwn(actionTable, text);
}

/** The actions that a pattern stands for: one, `noun:*`, or `*`; empty for what fits none. */
export function expandAction(pattern: string): readonly Action[] {
  if (pattern === '*') return actions;
  if (!pattern.endsWith(':*')) return isAction(pattern) ? [pattern] : [];
  const noun = pattern.slice(0, -1);
  return actions.filter((action) => action.startsWith(noun));
}
