/** The part of the config that is about servers which announce themselves or are found. */

import { z } from 'zod';
import { clientNames } from './clients/clients.ts';
import { entryCategories, valueMapShape } from './server-entry.ts';

const clientShape = z.strictObject({
  client: z.enum(clientNames).describe('The client whose servers are taken.'),
  folder: z
    .string()
    .min(1)
    .optional()
    .describe("Project folder that has the client's file; without one the person's own file is read."),
});

const dnsShape = z.strictObject({
  name: z
    .string()
    .regex(/^_[a-z0-9-]+\._tcp\.[a-z0-9_.-]+$/i, { error: 'must be an SRV name, e.g. _mcp._tcp.example.org' })
    .describe('SRV name that is asked, e.g. _mcp._tcp.example.org.'),
  server: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, { error: 'must be letters, digits, - and _, at most 32' })
    .describe('Name of the servers that are found.'),
  scheme: z.enum(['https', 'http']).default('https').describe('How they are spoken to.'),
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/, { error: 'must begin with / and have no query' })
    .default('/mcp')
    .describe('Path of their MCP endpoint.'),
  everySeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(30)
    .describe('Seconds from one question to the next; the TTL of the answer counts where it is longer.'),
  headers: valueMapShape.optional().describe('HTTP headers sent to them; values as in `mcpServers`.'),
  category: z.enum(entryCategories).optional().describe('Category they are routed in.'),
});

const registrationShape = z.strictObject({
  enabled: z.boolean().default(false).describe('Servers may register themselves over REST.'),
  allowHosts: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Hosts that are not on the public internet and may register all the same: `name`, `name:port`, `*.suffix` or an address.',
    ),
  maxServers: z.int().min(1).max(10_000).default(1000).describe('Most servers registered at a time.'),
});

/** `discovery` in the config. */
export const discoveryShape = z.strictObject({
  folders: z
    .array(z.string().min(1))
    .default([])
    .describe('Folders that are watched: each JSON or YAML file in them is one server, named by the file.'),
  clients: z
    .array(clientShape)
    .default([])
    .describe('MCP clients whose config files are read and followed; nothing is written there.'),
  dns: z.array(dnsShape).default([]).describe('SRV names whose targets are servers.'),
  registration: registrationShape.prefault({}).describe('Servers that register themselves.'),
});

export type DiscoveryConfig = z.output<typeof discoveryShape>;
export type DnsConfig = DiscoveryConfig['dns'][number];
export type ClientConfig = DiscoveryConfig['clients'][number];
