/**
 * The one config schema. Its descriptions are the documentation; defaults, environment names, flags, the
 * file that `init` writes and the JSON schema for editors all come from it.
 */

import { z } from 'zod';
import { bundleNameShape, bundleShape } from '../kernel/bundle-shape.ts';
import { connectionsShape } from './connections-shape.ts';
import { auditShape } from './audit-shape.ts';
import { authShape } from './auth-shape.ts';
import { discoveryShape } from './discovery-shape.ts';
import { exportersShape } from './exporters-shape.ts';
import { guardrailsShape } from './guardrails-shape.ts';
import { limitsShape } from './limits-shape.ts';
import { memoryShape } from './memory-shape.ts';
import { healthShape, poolFields } from './pool-shape.ts';
import { secretsShape } from './secrets-shape.ts';
import { serverEntryShape } from './server-entry.ts';
import { proxyFields, tlsShape } from './tls-shape.ts';
import { storeShape } from './store-shape.ts';

/** Profiles that a file may have. */
export const profileNames = ['development', 'production'] as const;

const builtInShape = z.strictObject({
  enabled: z.boolean().optional().describe('False leaves the server out of `servers`. Default true.'),
  settings: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Its own settings; see its reference page.'),
  ...poolFields,
});

const toolSearchShape = z.strictObject({
  listed: z
    .array(z.string().min(1))
    .default(['memory_store', 'memory_retrieve', 'memory_search', 'memory_list', 'memory_delete'])
    .describe(
      'Tools listed beside find_tools, describe_tool and call_tool; with * at its end every tool whose name begins so.',
    ),
});

const catalogShape = z.strictObject({
  record: z
    .boolean()
    .default(true)
    .describe(
      'Write what each server offers into the memory, under coordinator/catalog/, a commit a change.',
    ),
  pin: z
    .boolean()
    .default(false)
    .describe('Pin every server of `mcpServers` whose entry does not say otherwise.'),
});

const nameShape = z.string().min(1).max(64);

/** Everything that can be set, with defaults; unknown keys are errors. */
export const configShape = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on. Without authentication only loopback addresses are accepted.'),
  port: z.int().min(0).max(65_535).default(3000).describe('Port of the coordinator; 0 takes any free one.'),
  dataDir: z
    .string()
    .min(1)
    .default('.git-memory')
    .describe('Folder of the memory repository and all other state. In a file: relative to that file.'),
  profile: z
    .enum(profileNames)
    .default('development')
    .describe('Which section of `profiles` is laid over the file.'),
  servers: z.int().min(0).max(1000).default(20).describe('How many built-in server instances to start.'),
  instancePorts: z
    .boolean()
    .default(false)
    .describe("Open each instance's own port (3100 and up) as an alias of its endpoint."),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severity that is written to the log on standard error.'),
  allowedHosts: z
    .array(z.string().min(1))
    .default([])
    .describe('Further names accepted in the Host header, without ports.'),
  allowedOrigins: z
    .array(z.string().min(1))
    .default([])
    .describe('Further web origins that may call, e.g. https://app.example.org.'),
  hosts: z.int().min(1).max(64).default(2).describe('Worker threads that run the built-in servers.'),
  auth: authShape.prefault({}).describe('Who may come in.'),
  tls: tlsShape.prefault({}).describe('TLS of all listeners.'),
  ...proxyFields,
  connections: connectionsShape
    .prefault({})
    .describe('Bounds on connections, and on what is read before anybody knows who sent it.'),
  audit: auditShape.prefault({}).describe('What was done, by whom, written down.'),
  store: storeShape
    .optional()
    .describe(
      'PostgreSQL for keys, servers and their settings, bundles, remotes and deployments. Without it: SQLite in the data folder.',
    )
    .meta({ examples: [{ url: { env: 'DATABASE_URL' } }] }),
  limits: limitsShape.prefault({}).describe('Bounds on what clients can ask for.'),
  health: healthShape.prefault({}).describe('When a server counts as sick, and when as well again.'),
  memory: memoryShape.prefault({}).describe('The Git memory.'),
  secrets: secretsShape.prefault({}).describe('Where secrets are kept that other settings refer to.'),
  watchConfig: z
    .boolean()
    .default(true)
    .describe('Take changes of the config file while running. `config reload` does so in any case.'),
  plugins: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'npm packages, or paths that begin with a dot, with servers, policies and exporters; they run as the coordinator.',
    ),
  exporters: exportersShape
    .default([])
    .describe('What carries metrics and finished calls elsewhere.')
    .meta({ examples: [[{ use: 'jsonl', settings: { file: 'calls.jsonl' } }]] }),
  discovery: discoveryShape.prefault({}).describe('Servers that announce themselves or are found.'),
  builtIn: z
    .record(nameShape, builtInShape)
    .default({})
    .describe('Built-in servers by name: switch one off or give it settings.'),
  catalog: catalogShape.prefault({}).describe('What servers offer: written down, and pinned.'),
  guardrails: guardrailsShape.prefault({}).describe('What looks at arguments, results and definitions.'),
  toolSearch: toolSearchShape.prefault({}).describe('Endpoints with ?tools=search.'),
  bundles: z
    .record(bundleNameShape, bundleShape)
    .default({})
    .describe('Chosen sets of tools by name, each with an endpoint of its own: /mcp/bundles/<name>.'),
  mcpServers: z
    .record(nameShape, serverEntryShape)
    .default({})
    .describe('Your own MCP servers by name, in the form of Claude Desktop, Cursor and VS Code.'),
});

/** The file as written: the config, laid over by the section of the chosen profile. */
export const configFileShape = z.strictObject({
  $schema: z.string().optional().describe('JSON schema for editors; otherwise ignored.'),
  ...configShape.shape,
  profiles: z
    .strictObject({
      development: configShape
        .omit({ profile: true })
        .optional()
        .describe('Laid over the file in development.'),
      production: configShape
        .omit({ profile: true })
        .optional()
        .describe('Laid over the file in production.'),
    })
    .optional()
    .describe('Values that hold in one profile only.'),
});

/** JSON schema of the config file, for editors and for `config schema`. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: 'git-memory.config', ...z.toJSONSchema(configFileShape, { io: 'input' }) };
}

/** The config as every part sees it: complete, with `dataDir` absolute once loaded. */
export type Config = z.output<typeof configShape>;
