/** `memory.backup` in the config: where backups of the memory go, when, and which of them stay. */

import { z } from 'zod';
import { referenceShape } from './reference.ts';

const count = (most: number) => z.int().min(0).max(most);

const credentialsShape = z.strictObject({
  accessKeyId: referenceShape.describe('Reference to the access key id.'),
  secretAccessKey: referenceShape.describe('Reference to the secret access key.'),
  sessionToken: referenceShape.optional().describe('Reference to the token of temporary credentials.'),
});

/** Backups are off while it is absent. */
export const backupShape = z
  .strictObject({
    to: z
      .string()
      .min(1)
      .describe('A folder, relative to the config file and not in the data folder, or s3://bucket/prefix.'),
    everyHours: z
      .number()
      .positive()
      .max(8760)
      .optional()
      .describe('A backup is made so many hours after the last one, when something changed.'),
    at: z
      .string()
      .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time such as 03:30' })
      .optional()
      .describe('A backup is made every day at this time, HH:MM in UTC, when something changed.'),
    keep: z
      .strictObject({
        last: count(10_000).default(7).describe('The newest so many stay; the newest good one always does.'),
        daily: count(10_000).default(7).describe('The newest of each of so many days stays.'),
        weekly: count(10_000).default(4).describe('The newest of each of so many weeks stays.'),
      })
      .prefault({})
      .describe('Which backups stay; all others are deleted after a new one: `last`, `daily`, `weekly`.'),
    encryptionKey: referenceShape
      .optional()
      .describe('Reference to 32 bytes in base64 or hex, or to a passphrase; then backups are encrypted.'),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Address of an S3-compatible store, e.g. http://minio:9000; AWS without one.'),
    region: z.string().min(1).default('us-east-1').describe('Region of the bucket.'),
    credentials: credentialsShape
      .optional()
      .describe('References `accessKeyId`, `secretAccessKey` and `sessionToken` of an s3:// place.'),
  })
  .refine(({ to, credentials }) => !to.startsWith('s3://') || credentials !== undefined, {
    error: 'needs credentials for an s3:// place',
    path: ['credentials'],
  });

/** As the config has it, references unread. */
export type BackupConfig = z.output<typeof backupShape>;
