/** Settings of the HTTP client server. */

import { z } from 'zod';

const hostsShape = z.array(z.string().min(1).max(300)).max(1000);

export const httpSettingsShape = z
  .strictObject({
    allowHosts: hostsShape
      .default([])
      .describe('Hosts that may have private addresses: name, name:port, *.suffix or an address.'),
    denyHosts: hostsShape.default([]).describe('Hosts refused whatever their address; the same forms.'),
    allowPrivate: z
      .boolean()
      .default(false)
      .describe('Open loopback and private networks; link-local and metadata addresses stay closed.'),
    userAgent: z
      .string()
      .regex(/^[\u0020-\u007e]{1,200}$/)
      .default('git-memory-mcp-server')
      .describe('User-Agent header unless the call gives one.'),
    maxDownloadBytes: z
      .number()
      .int()
      .min(1)
      .max(10 * 1024 ** 3)
      .default(100 * 1024 ** 2)
      .describe('Largest file that download_file keeps, in bytes.'),
  })
  .prefault({});

export type HttpSettings = z.output<typeof httpSettingsShape>;
