/** The part of the config that is about the Git memory. */

import { z } from 'zod';
import { backupShape } from './backup-shape.ts';
import { referenceShape } from './reference.ts';

const scopeShape = z.strictObject({
  maxKeys: z.int().min(0).optional().describe('Most memories that the scope may hold.'),
  maxBytes: z.int().min(0).optional().describe('Most bytes of its values, as they are stored.'),
  merge: z
    .enum(['auto', 'latest', 'manual', 'ours', 'theirs'])
    .optional()
    .describe(
      'How changes of two replicas are merged: auto by field and line, latest the newer value whole, manual the same and every such key is a conflict to resolve, ours or theirs one side always.',
    ),
  encrypt: z
    .union([z.string(), z.literal(false)])
    .optional()
    .describe(
      'Name of the key of memory.keys that values are encrypted under, on disk, in Git and in backups; false: in clear. Default: as a wider pattern says, else in clear.',
    ),
  embeddings: z
    .boolean()
    .optional()
    .describe('False: nothing of the scope is sent to the embedding provider. Default true.'),
});

const embeddingsShape = z.strictObject({
  provider: z
    .enum(['ollama', 'openai'])
    .describe(
      'Which protocol it speaks: `/api/embed` of Ollama, or `/v1/embeddings` of OpenAI and many others.',
    ),
  url: z
    .url({ protocol: /^https?$/ })
    .describe('Its address, e.g. http://127.0.0.1:11434. What is remembered is sent there.'),
  model: z.string().min(1).describe('Model that makes the vectors; with another one all are made anew.'),
  apiKey: referenceShape.optional().describe('Its key: `{env: NAME}` or `{file: path}`.'),
  timeoutMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(30_000)
    .describe('Longest time for one request, in milliseconds.'),
  batchSize: z.int().min(1).max(256).default(16).describe('Memories in one request.'),
});

/** One of `memory.remotes`. */
export const remoteShape = z.strictObject({
  url: z
    .string()
    .min(1)
    .regex(/^(?!-)/, { error: 'must not begin with -' })
    .regex(/^(?!https?:\/\/[^/]*@)(?![a-z][a-z0-9+.-]*:\/\/[^/@]*:[^/@]*@)/i, {
      error: 'must not hold a user name, password or token; name it under credential instead',
    })
    .describe(
      'A path, or a URL of file, http, https or ssh; git@host:path too. Without user name and token.',
    ),
  branch: z
    .string()
    .regex(/^[A-Za-z0-9_](?:[\w./-]*[\w-])?$/, { error: 'must be the name of a branch' })
    .default('main')
    .describe('Branch of the remote that holds the memory.'),
  direction: z
    .enum(['both', 'pull', 'push'])
    .default('both')
    .describe('pull takes memories from there, push sends ours, both does both.'),
  everySeconds: z
    .int()
    .min(0)
    .max(2_592_000)
    .default(300)
    .describe('Seconds from one round to the next; 0 for only when asked.'),
  username: z
    .string()
    .regex(/^[^:\p{Cc}]+$/u, { error: 'must not hold a colon' })
    .optional()
    .describe('Name that goes with the credential over http and https. Default git.'),
  credential: referenceShape
    .optional()
    .describe('Token or password for http and https, by reference: {env: NAME} or {file: path}.'),
});

/** `memory` in the config. */
export const memoryShape = z.strictObject({
  flushIntervalMs: z
    .int()
    .min(1)
    .max(60_000)
    .default(200)
    .describe('Acknowledged writes become Git commits at this interval, in milliseconds.'),
  backup: backupShape
    .optional()
    .describe('Backups of the memory; none are made without it.')
    .meta({ examples: [{ to: '../git-memory-backups', everyHours: 6 }] }),
  maxWritesPerCommit: z
    .int()
    .min(1)
    .max(500)
    .default(100)
    .describe('Under pressure so many writes share a commit; 1 keeps a commit for each, which is slower.'),
  embeddings: embeddingsShape
    .optional()
    .describe(
      'Search by meaning: a service that makes vectors of memories. Nothing is sent anywhere without it.',
    )
    .meta({ examples: [{ provider: 'ollama', url: 'http://127.0.0.1:11434', model: 'nomic-embed-text' }] }),
  scopes: z
    .record(
      z.string().regex(/^(?:shared|coordinator|category:|server:)?[a-z0-9._-]*\*?$/, {
        error: 'must be a scope, or the beginning of scopes with a * at its end, e.g. server:*',
      }),
      scopeShape,
    )
    .default({})
    .describe(
      'Settings of scopes, by scope or by the beginning of scopes with a * at its end; the longest match counts.',
    ),
  keys: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, {
        error: 'must be small letters, digits and -, at most 32',
      }),
      referenceShape,
    )
    .default({})
    .describe(
      'Keys to encrypt values with, by name, by reference: 32 bytes in base64 or hex, or a passphrase. Former keys stay here, so that old versions can be read.',
    )
    .meta({ examples: [{ main: { env: 'MEMORY_KEY' } }] }),
  remotes: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, {
        error: 'must be small letters, digits and -, at most 32',
      }),
      remoteShape,
    )
    .default({})
    .describe('Git remotes to exchange memories with, by name.'),
  addedRemotes: z
    .strictObject({
      allowHosts: z
        .array(z.string().min(1))
        .default([])
        .describe(
          'Hosts that are not on the public internet and may be remotes all the same: `name`, `name:port`, `*.suffix` or an address.',
        ),
    })
    .prefault({})
    .describe('Bounds on the Git remotes that are added over the API while a coordinator runs.'),
});
