/** One entry of `mcpServers`: the form of Claude Desktop, Cursor and VS Code, plus ours. */

import { z } from 'zod';
import { authShape } from './server-auth-shape.ts';
import { poolFields, replicasShape } from './pool-shape.ts';
import { referenceShape } from './reference.ts';
import { defaultMaxConnections, isolations } from '../kernel/pool-options.ts';
import { categoryNames, customCategory } from '../kernel/category-names.ts';

/** What an entry may name: the ten of the port table, or none of them. */
export const entryCategories = [...categoryNames, customCategory] as const;

/** Text, a reference, or a plain number or boolean as YAML reads them. */
const valueShape = z.union([z.string(), z.number(), z.boolean(), referenceShape], {
  error: 'must be text, {env: NAME}, {file: path}, {secret: name} or {vault: {path, field}}',
});

/** Environment variables and headers by name. */
export const valueMapShape = z.record(z.string().min(1), valueShape);

const portShape = z.int().min(1).max(65_535);

/** Fields by which an entry says what it is; exactly one of them has to be there. */
const launchKeys = ['command', 'url', 'builtin'] as const;

const fields = {
  type: z
    .enum(['stdio', 'http', 'streamable-http', 'sse'])
    .optional()
    .describe('Transport, as other clients write it; found out by itself when absent.'),
  command: z
    .string()
    .min(1)
    .optional()
    .describe('Program to start; it speaks MCP on its standard input and output. No shell.'),
  args: z
    .array(z.union([z.string(), z.number()], { error: 'must be text' }))
    .optional()
    .describe('Its arguments.'),
  env: valueMapShape
    .optional()
    .describe(
      'Its environment: text, `{env: NAME}`, `{file: path}`, `{secret: name}`, `{vault: {path, field}}`, or text with `${env:NAME}` in it.',
    ),
  envFile: z.string().min(1).optional().describe('File of NAME=value lines added to its environment.'),
  cwd: z.string().min(1).optional().describe('Folder it runs in; relative to the config file.'),
  limits: z
    .strictObject({
      memoryMb: z
        .int()
        .min(1)
        .optional()
        .describe(
          'Most memory that it and the processes it starts may use together, in MiB; over it they are restarted.',
        ),
      openFiles: z
        .int()
        .min(16)
        .optional()
        .describe('Files, pipes and sockets that one of its processes may have open at once (Linux).'),
      startMs: z
        .int()
        .min(1)
        .optional()
        .describe('Time until it must have answered the handshake, in milliseconds. Default 30000.'),
    })
    .optional()
    .describe('What its process may use.'),
  url: z
    .string()
    .regex(/^(https?:\/\/|\$\{)/i, { error: 'must start with http:// or https://' })
    .optional()
    .describe('Address of a server that already runs.'),
  headers: valueMapShape.optional().describe('HTTP headers sent to it; values as in `env`.'),
  auth: authShape
    .optional()
    .describe('How the gateway says who it is to it; never with the token of a client.'),
  builtin: z.string().min(1).optional().describe('Name of a built-in server, for one more instance of it.'),
  settings: z.record(z.string(), z.unknown()).optional().describe('Settings of that built-in server.'),
  category: z.enum(entryCategories).optional().describe('Category it is routed in; `custom` when absent.'),
  port: portShape.optional().describe('Its own port; the next free one of its category when absent.'),
  replicas: replicasShape
    .optional()
    .describe(
      'Connections (or processes) kept; calls go round them. A number, or bounds between which it follows the load. Default 1.',
    ),
  lazy: z.boolean().optional().describe('Start it at its first call instead of at start-up. Default false.'),
  isolation: z
    .enum(isolations)
    .optional()
    .describe(
      'Who shares a connection (or process): `shared` by all clients, or one of its own `per-session`, `per-user` or `per-tenant`. Default `shared`.',
    ),
  maxConnections: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      `With isolation: how many clients may have a connection of their own at once. Default ${defaultMaxConnections}.`,
    ),
  era: z
    .enum(['auto', 'legacy', 'modern'])
    .optional()
    .describe(
      'Protocol era spoken to it: `legacy` (up to 2025-11-25), `modern` (2026-07-28). Default `auto`.',
    ),
  disabled: z.boolean().optional().describe('Keep the entry but leave the server out. Default false.'),
  timeoutMs: z.int().min(1).optional().describe('Longest time for one call, in milliseconds.'),
  ...poolFields,
  title: z.string().min(1).optional().describe('Name for people.'),
  pin: z
    .boolean()
    .optional()
    .describe(
      'Hold back definitions of tools that change after they were approved; the first ones are. Default `catalog.pin`.',
    ),
  tags: z
    .array(z.string().min(1))
    .optional()
    .describe('Labels, to choose servers by: `servers list --select tag=<label>`.'),
};

/** What may be changed of a running server: neither what is launched nor where it stands. */
export const changeableShape = z.strictObject({
  title: fields.title,
  tags: fields.tags,
  lazy: fields.lazy,
  timeoutMs: fields.timeoutMs,
  settings: fields.settings,
  ...poolFields,
});

/** Keys that an entry may have. */
export const entryKeys: readonly string[] = Object.keys(fields);

/** An entry as written; `resolveSecrets` turns its references into text. */
export const serverEntryShape = z.strictObject(fields).superRefine((entry, context) => {
  const given = launchKeys.filter((key) => entry[key] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'has none of them' : `has ${given.join(' and ')}`;
    context.addIssue({
      code: 'custom',
      message: `needs exactly one of command, url and builtin; it ${found}`,
    });
  }
  for (const [key, owner] of [
    ['args', 'command'],
    ['cwd', 'command'],
    ['env', 'command'],
    ['envFile', 'command'],
    ['limits', 'command'],
    ['headers', 'url'],
    ['auth', 'url'],
    ['settings', 'builtin'],
  ] as const) {
    if (entry[key] !== undefined && entry[owner] === undefined && given.length === 1) {
      context.addIssue({ code: 'custom', path: [key], message: `goes with ${owner} only` });
    }
  }
  const isShared = (entry.isolation ?? 'shared') === 'shared';
  if (!isShared) {
    const message = `is for shared servers; with isolation ${entry.isolation} each client has its own connection`;
    for (const key of ['replicas', 'maxConcurrency', 'queue'] as const)
      if (entry[key] !== undefined && entry[key] !== 1)
        context.addIssue({ code: 'custom', path: [key], message });
  }
  if (isShared && entry.maxConnections !== undefined) {
    const message = 'goes with isolation per-session, per-user or per-tenant only';
    context.addIssue({ code: 'custom', path: ['maxConnections'], message });
  }
  const whose = entry.auth && 'whose' in entry.auth ? entry.auth.whose : 'shared';
  const fits = {
    shared: isolations,
    'per-tenant': isolations.slice(1),
    'per-user': ['per-session', 'per-user'],
  };
  if (entry.isolation !== undefined && !fits[whose].includes(entry.isolation)) {
    const message = `${entry.isolation} would mix credentials that are ${whose}; leave it out, or use ${whose}`;
    context.addIssue({ code: 'custom', path: ['isolation'], message });
  }
  const wants = entry.type === undefined ? undefined : entry.type === 'stdio' ? 'command' : 'url';
  if (wants && given.length === 1 && given[0] !== wants) {
    context.addIssue({ code: 'custom', path: ['type'], message: `${entry.type} goes with ${wants}` });
  }
});
/** A checked entry, references unread. */
export type ServerEntryConfig = z.output<typeof serverEntryShape>;
