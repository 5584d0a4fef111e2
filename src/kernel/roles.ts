/** The roles that are there without a policy; what they allow is in `identity/policies/built-in-roles.ts`. */

/** From the mightiest to the least. */
export const roles = ['owner', 'admin', 'operator', 'developer', 'agent', 'auditor', 'viewer'] as const;

export type Role = (typeof roles)[number];

export function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}

/** True for what a policy may call a role. */
export function isRoleName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,31}$/.test(text);
}
