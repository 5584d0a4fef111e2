/** Where metrics and finished calls are carried, as the config says it. */

import { z } from 'zod';

export const exportersShape = z.array(
  z.strictObject({
    use: z.string().min(1).describe('`jsonl`, or `<plugin>/<exporter>`.'),
    settings: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Its own settings; `{ env: NAME }` or `{ file: PATH }` in them is read at the start.'),
    intervalMs: z
      .int()
      .min(100)
      .max(86_400_000)
      .default(15_000)
      .describe('Time between two snapshots of the metrics, in milliseconds. Calls come each second.'),
  }),
);
