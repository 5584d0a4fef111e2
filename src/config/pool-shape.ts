/** How calls are spread and health is judged, as the config says it: once for all, and for single servers. */

import { z } from 'zod';
import {
  defaultHealth,
  defaultSelection,
  hashOnPattern,
  pluginPartPattern,
  policyNames,
  type PolicyName,
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

/** Fields that an entry of `mcpServers` and one of `builtIn` have in common. */
export const poolFields = {
  selection: selectionShape.optional().describe('How calls are spread over its replicas and instances.'),
  health: ownHealthShape.optional().describe('What of `health` is different for it.'),
  idleMs: z
    .int()
    .min(1000)
    .optional()
    .describe('Stop it after so long without a call, in milliseconds; the next call starts it again.'),
};
