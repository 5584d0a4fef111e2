/**
 * The one config schema. Its descriptions are the documentation; defaults, environment names, flags, the
 * file that `init` writes and the JSON schema for editors all come from it.
 */

import { z } from 'zod';
import { bundleNameShape, bundleShape } from '../kernel/bundle-shape.ts';
import { discoveryShape } from './discovery-shape.ts';
import { exportersShape } from './exporters-shape.ts';
import { memoryShape } from './memory-shape.ts';
import { healthShape, poolFields } from './pool-shape.ts';
import { serverEntryShape } from './server-entry.ts';
import { storeShape } from './store-shape.ts';

/** Profiles that a file may have. */
export const profileNames = ['development', 'production'] as const;

const limitsShape = z.strictObject({
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
});

/** Whether callers have to say who they are. */
export const authModes = ['local', 'required'] as const;

const authShape = z.strictObject({
  mode: z
    .enum(authModes)
    .default('local')
    .describe(
      '`local`: whoever reaches a loopback address is the owner. `required`: every request shows a key, see `keys create`; needed for any other address.',
    ),
});

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
  store: storeShape
    .optional()
    .describe(
      'PostgreSQL for keys, added servers and all other state but the memory. Without it: SQLite in the data folder.',
    )
    .meta({ examples: [{ url: { env: 'DATABASE_URL' } }] }),
  limits: limitsShape.prefault({}).describe('Bounds on what clients can ask for.'),
  health: healthShape.prefault({}).describe('When a server counts as sick, and when as well again.'),
  memory: memoryShape.prefault({}).describe('The Git memory.'),
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
