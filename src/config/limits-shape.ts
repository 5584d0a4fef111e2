/** The part of the config that is about how much clients can ask for. */

import { z } from 'zod';
import { priorities } from '../kernel/pool-options.ts';
import { builtInPlans, limitedBy } from '../kernel/rate-limits.ts';
import { referenceShape } from './reference.ts';

const count = z.int().min(1).max(1_000_000_000);

const allowanceFields = {
  perSecond: z
    .number()
    .min(0.001)
    .max(1_000_000)
    .optional()
    .describe('So many in a second; 0.5 is one in two seconds.'),
  perHour: count.optional().describe('So many in an hour, coming back evenly.'),
  perMonth: count.optional().describe('So many in a calendar month, UTC.'),
  concurrency: count.optional().describe('So many at a time.'),
  burst: count
    .optional()
    .describe('Most at once after a pause, of perSecond and perHour. Default: as many as each of them says.'),
};

const hasAllowance = ({ perSecond, perHour, perMonth, concurrency }: Partial<Record<string, unknown>>) =>
  [perSecond, perHour, perMonth, concurrency].some((one) => one !== undefined);

const ruleShape = z
  .strictObject({
    per: z
      .enum(limitedBy)
      .describe(
        'Whose calls are counted together: one principal (user or key), tenant, server or tool, or all.',
      ),
    of: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Only these, by name, in which * stands for anything; a tool is `server/tool`.'),
    ...allowanceFields,
  })
  .refine(hasAllowance, { error: 'needs perSecond, perHour, perMonth or concurrency' });

const planShape = z.strictObject({
  ...allowanceFields,
  priority: z
    .enum(priorities)
    .optional()
    .describe('The most urgent that its calls can be in the queue of a server.'),
});

const ruleNameShape = z.string().regex(/^[a-z0-9][a-z0-9-]{0,47}$/, {
  error: 'must be small letters, digits and -, at most 48',
});
const planNameShape = z.string().min(1).max(48);

const redisShape = z.strictObject({
  url: referenceShape.describe(
    'Its address, by reference: `{env: NAME}` or `{file: path}` of redis://… or rediss://….',
  ),
  prefix: z.string().max(100).default('git-memory-mcp').describe('Its keys begin with this and a colon.'),
  timeoutMs: z.int().min(5).max(10_000).default(100).describe('Longest time for an answer, in milliseconds.'),
  onFailure: z
    .enum(['allow', 'block'])
    .default('allow')
    .describe(
      'While it does not answer: `allow` counts in this coordinator alone, `block` refuses what a rule would count.',
    ),
});

const failedKeysShape = z.strictObject({
  perMinute: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(60)
    .describe('Wrong keys that one address may show in a minute; 0 for any number.'),
  burst: count.default(100).describe('Wrong keys at once after a pause.'),
  exempt: z
    .array(z.string().min(1))
    .default([])
    .describe('Addresses that are not counted, such as that of a proxy through which many come.'),
});

const limitsFields = {
  bodyBytes: z
    .int()
    .min(1024)
    .max(1_073_741_824)
    .default(4_194_304)
    .describe('Largest request body, in bytes.'),
  requestTimeoutMs: z
    .int()
    .min(1)
    .default(60_000)
    .describe('Longest time for one call to a server, in milliseconds, unless its entry says otherwise.'),
  sessionIdleMs: z
    .int()
    .min(1000)
    .default(3_600_000)
    .describe('A client session that is silent so long is closed, in milliseconds.'),
  maxSessions: z.int().min(1).default(10_000).describe('Most client sessions at a time.'),
  drainMs: z
    .int()
    .min(0)
    .default(5000)
    .describe('At a stop, open requests get so long to finish, in milliseconds.'),
  serverDrainMs: z
    .int()
    .min(0)
    .default(30_000)
    .describe(
      'A server that is replaced or removed gets so long to finish the calls it has, in milliseconds; new calls go elsewhere at once.',
    ),
  startConcurrency: z.int().min(1).max(256).default(8).describe('Servers brought up at the same time.'),
  rates: z
    .record(ruleNameShape, ruleShape)
    .default({})
    .describe('How much may be asked for, by names that callers are told. Taken while running.')
    .meta({ examples: [{ 'each-key': { per: 'principal', perSecond: 20, burst: 50 } }] }),
  plans: z
    .record(ruleNameShape, planShape)
    .default({})
    .describe(`Own plans, beside ${Object.keys(builtInPlans).join(', ')}. Taken while running.`),
  plan: planNameShape
    .optional()
    .describe('Plan of each tenant that has none of its own. Taken while running.')
    .meta({ examples: ['devops-starter'] }),
  tenantPlans: z
    .record(z.string().min(1), planNameShape)
    .default({})
    .describe('Plans of tenants. Taken while running.'),
  principalPlans: z
    .record(z.string().min(1), planNameShape)
    .default({})
    .describe(
      'Plans of single users and keys, as `key:<id>`; counted for themselves instead of for their tenant. Taken while running.',
    ),
  redis: redisShape
    .optional()
    .describe('Where several coordinators count together; each counts for itself without it.')
    .meta({ examples: [{ url: { env: 'REDIS_URL' } }] }),
  failedKeys: failedKeysShape.prefault({}).describe('Bounds on guessing keys.'),
};

/** `limits` in the config. */
export const limitsShape = z.strictObject(limitsFields).superRefine((limits, context) => {
  const isKnown = (plan: string) => Object.hasOwn(limits.plans, plan) || Object.hasOwn(builtInPlans, plan);
  const named: [(string | number)[], string][] = [
    ...(limits.plan === undefined ? [] : [[['plan'], limits.plan] as [string[], string]]),
    ...Object.entries(limits.tenantPlans).map(([of, plan]): [string[], string] => [
      ['tenantPlans', of],
      plan,
    ]),
    ...Object.entries(limits.principalPlans).map(([of, plan]): [string[], string] => [
      ['principalPlans', of],
      plan,
    ]),
  ];
  for (const [path, plan] of named) {
    if (isKnown(plan)) continue;
    const known = [...new Set([...Object.keys(builtInPlans), ...Object.keys(limits.plans)])].join(', ');
    context.addIssue({ code: 'custom', path, message: `must be a plan: ${known}` });
  }
});
