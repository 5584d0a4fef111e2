/** How calls are spread and health is judged, as the config says it: once for all, and for single servers. */

import { z } from 'zod';
import {
  defaultHealth,
  defaultQueue,
  defaultScale,
  defaultSelection,
  hashOnPattern,
  mostReplicas,
  pluginPartPattern,
  policyNames,
  type PolicyName,
  priorities,
} from '../kernel/pool-options.ts';

const checkInterval = z
  .int()
  .min(0)
  .max(86_400_000)
  .describe('Time between two checks of a server that is not being called, in milliseconds; 0 checks none.');
const checkTimeout = z
  .int()
  .min(1)
  .max(3_600_000)
  .describe('Longest time for the answer to a check, in milliseconds.');
const failures = z
  .int()
  .min(1)
  .max(1000)
  .describe('So many failed calls in a row take an instance out of traffic.');
const open = z
  .int()
  .min(1)
  .max(3_600_000)
  .describe('Time out of traffic before a first new trial, in milliseconds.');
const slow = z
  .int()
  .min(1)
  .optional()
  .describe('A server whose calls take longer on average is shown as degraded, in milliseconds.');

/** For all servers. */
export const healthShape = z.strictObject({
  checkIntervalMs: checkInterval.default(defaultHealth.checkIntervalMs),
  checkTimeoutMs: checkTimeout.default(defaultHealth.checkTimeoutMs),
  failures: failures.default(defaultHealth.failures),
  openMs: open.default(defaultHealth.openMs),
  slowMs: slow.meta({ examples: [2000] }),
});

/** What one server does otherwise. */
const ownHealthShape = z.strictObject({
  checkIntervalMs: checkInterval.optional(),
  checkTimeoutMs: checkTimeout.optional(),
  failures: failures.optional(),
  openMs: open.optional(),
  slowMs: slow,
});

const selectionShape = z.strictObject({
  policy: z
    .union([z.enum(policyNames), z.string().regex(pluginPartPattern)], {
      error: `must be one of ${policyNames.join(', ')}, or <plugin>/<policy>`,
    })
    .transform((name) => name as PolicyName)
    .default(defaultSelection.policy)
    .describe('How one of several replicas or instances is chosen for a call.'),
  hashOn: z
    .string()
    .regex(hashOnPattern, { error: 'must be session, tenant or argument:<name>' })
    .default(defaultSelection.hashOn)
    .describe('What consistent-hash keeps together: `session`, `tenant` or `argument:<name>`.'),
  slowStartMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(defaultSelection.slowStartMs)
    .describe('A restarted one has its full share of calls after so long, in milliseconds; 0 at once.'),
});

const queueShape = z.strictObject({
  maxWaiting: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(defaultQueue.maxWaiting)
    .describe('Most calls that wait; one more is refused with `SERVER_BUSY`.'),
  maxWaitMs: z
    .int()
    .min(1)
    .max(3_600_000)
    .default(defaultQueue.maxWaitMs)
    .describe('Longest wait of a call, in milliseconds.'),
  priority: z
    .enum(priorities)
    .default(defaultQueue.priority)
    .describe('Priority of its calls; a client can lower that of its own.'),
});

const replicaCount = z.int().min(1).max(mostReplicas);

const scaleShape = z
  .strictObject({
    min: replicaCount.default(1).describe('Fewest replicas.'),
    max: replicaCount.describe('Most replicas.'),
    targetConcurrency: z
      .number()
      .min(0.1)
      .max(10_000)
      .optional()
      .describe(
        `Calls under way in one replica that are aimed for. Default 0.7 of \`maxConcurrency\`, or ${defaultScale.targetConcurrency}.`,
      ),
    targetLatencyMs: z
      .int()
      .min(1)
      .optional()
      .describe('Calls that take longer on average bring more replicas, in milliseconds.'),
    upCoolDownMs: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(defaultScale.upCoolDownMs)
      .describe('Time between a change and the next growth, in milliseconds.'),
    downCoolDownMs: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(defaultScale.downCoolDownMs)
      .describe('Replicas go after fewer would have done for so long, in milliseconds.'),
  })
  .refine(({ min, max }) => min <= max, { path: ['max'], error: 'must not be less than min' });

/** A fixed number, or bounds between which it follows the load. */
export const replicasShape = z.union([replicaCount, scaleShape], {
  error: `must be a number from 1 to ${mostReplicas}, or {min, max}`,
});

/** Fields that an entry of `mcpServers` and one of `builtIn` have in common. */
export const poolFields = {
  selection: selectionShape.optional().describe('How calls are spread over its replicas and instances.'),
  health: ownHealthShape.optional().describe('What of `health` is different for it.'),
  idleMs: z
    .int()
    .min(1000)
    .optional()
    .describe('Stop it after so long without a call, in milliseconds; the next call starts it again.'),
  maxConcurrency: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('Most calls at a time in one replica; others wait in its queue. No limit when absent.'),
  queue: queueShape.optional().describe('Where calls wait when all replicas have `maxConcurrency`.'),
};
