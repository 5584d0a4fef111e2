/** What a role lets its bearer do. */

/**
 * `read`: see servers, tools, states, logs. `use`: call tools, read and write the memory, clone and push it. `manage`:
 * change what runs. `own`: end the coordinator. `audit`: read the audit log.
 */
export type Permission = 'read' | 'use' | 'manage' | 'own' | 'audit';

const table = {
  owner: ['read', 'use', 'manage', 'own', 'audit'],
  admin: ['read', 'use', 'manage', 'audit'],
  operator: ['read', 'manage'],
  developer: ['read', 'use'],
  agent: ['use'],
  auditor: ['read', 'audit'],
  viewer: ['read'],
} as const satisfies Record<string, readonly Permission[]>;

export type Role = keyof typeof table;

/** From the mightiest to the least. */
export const roles = Object.keys(table) as Role[];

export function isRole(text: string): text is Role {
  return Object.hasOwn(table, text);
}

/** O(1): there are five permissions. */
export function mayDo(role: Role, permission: Permission): boolean {
  return (table[role] as readonly Permission[]).includes(permission);
}
