/** A policy as people write it, in YAML or JSON: roles made of rules. */

import { z } from 'zod';
import { actions, expandAction } from '../kernel/actions.ts';
import { isRoleName } from '../kernel/roles.ts';

const patternShape = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^*]*\*?$/, { error: 'may have one * and that at its end' });
const patternsShape = z.array(patternShape).min(1).max(100);

const actionShape = z
  .string()
  .max(64)
  .refine((pattern) => expandAction(pattern).length > 0, {
    error: `is no action; use *, <noun>:* or one of ${actions.join(', ')}`,
  });

export const ruleShape = z.strictObject({
  actions: z.array(actionShape).min(1).max(50).describe('What is meant: tools:call, memory:*, *.'),
  servers: patternsShape.optional().describe('Only on servers with these ids; * at the end.'),
  categories: patternsShape.optional().describe('Only on servers of these categories.'),
  tools: patternsShape.optional().describe("Only these tools, by their servers' own names."),
  scopes: patternsShape.optional().describe('Only in these scopes of the memory.'),
  prefixes: z
    .array(z.string().min(1).max(1024))
    .min(1)
    .max(100)
    .optional()
    .describe('Only keys of the memory that begin so.'),
  when: z.string().min(1).max(1000).optional().describe('Only if this CEL expression is true.'),
});
export type PolicyRule = z.infer<typeof ruleShape>;

export const roleNameShape = z.string().refine(isRoleName, {
  error: 'must be small letters, digits and -, at most 32, beginning with a letter',
});

const rulesShape = z.array(ruleShape).max(100);

export const roleShape = z.strictObject({
  description: z.string().max(500).optional(),
  includes: z.array(roleNameShape).max(20).optional().describe('Roles whose rules count here too.'),
  allow: rulesShape.optional().describe('What is allowed; nothing else is.'),
  deny: rulesShape.optional().describe('What is not, whatever allows it.'),
});
export type PolicyRole = z.infer<typeof roleShape>;

const namesShape = z.array(z.string().min(1).max(200)).max(200);

/** Whoever a decision is about: a key by its id, or anybody of a role. */
export const subjectFields = {
  principal: z.string().min(1).max(200).optional().describe('Id of a key, as `keys list` shows it.'),
  role: roleNameShape.optional().describe('Role of somebody who has no key.'),
  groups: namesShape.optional(),
  claims: z.record(z.string(), z.unknown()).optional(),
  narrowing: z
    .strictObject({
      servers: patternsShape.optional(),
      tools: patternsShape.optional(),
      scopes: patternsShape.optional(),
    })
    .optional()
    .describe('What a key holds back.'),
};

/** What is asked for. */
export const questionFields = {
  action: z
    .enum(actions as [(typeof actions)[number], ...typeof actions])
    .describe('One action, such as tools:call.'),
  server: z.string().max(200).optional().describe('Id of a server.'),
  category: z.string().max(100).optional(),
  tool: z.string().max(200).optional().describe("The server's own name of the tool."),
  annotations: z.record(z.string(), z.unknown()).optional().describe('Of the tool, such as readOnlyHint.'),
  scope: z.string().max(200).optional(),
  key: z.string().max(1024).optional().describe('One key of the memory.'),
  prefix: z.string().max(1024).optional().describe('All keys that begin so.'),
  arguments: z.record(z.string(), z.unknown()).optional(),
  at: z.iso.datetime().optional().describe('Time of the request; now when absent.'),
  remoteAddress: z.string().max(100).optional(),
};

export const policyTestShape = z
  .strictObject({
    name: z.string().max(200).optional(),
    ...subjectFields,
    ...questionFields,
    expect: z.enum(['allow', 'deny']),
  })
  .refine(({ principal, role }) => (principal === undefined) !== (role === undefined), {
    error: 'give exactly one of principal and role',
    path: ['role'],
  });
export type PolicyTest = z.infer<typeof policyTestShape>;

export const policyShape = z.strictObject({
  roles: z
    .record(roleNameShape, roleShape)
    .refine((roles) => Object.keys(roles).length <= 100, { error: 'are more than 100' })
    .refine((roles) => !Object.hasOwn(roles, 'owner'), {
      error: 'cannot have owner: the owner may do everything; take it out',
    })
    .describe('Roles by name; one of the name of a built-in role takes its place.'),
  tests: z.array(policyTestShape).max(500).optional().describe('Examples that must hold before it is taken.'),
});
export type Policy = z.infer<typeof policyShape>;
