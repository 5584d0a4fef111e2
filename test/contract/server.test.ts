/** One battery over every built-in server: a new one is a new file, and these cases come with it. */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ServerDefinition, ToolDefinition } from '../../src/kernel/define-server.ts';

const root = join(import.meta.dirname, '../..');

/** Categories with their first port and the named servers in port order from there. */
const portTable: Record<string, { first: number; names: string[] }> = {
  database: { first: 3100, names: ['mysql', 'postgresql', 'mongodb', 'redis', 'sqlite'] },
  filesystem: {
    first: 3150,
    names: ['local-file-system', 'cloud-storage', 'ftp-sftp', 'archive-management', 'file-sync'],
  },
  api: { first: 3200, names: ['rest-api', 'graphql', 'websocket', 'http-client', 'oauth'] },
  'ai-ml': { first: 3250, names: ['openai', 'anthropic', 'local-llm', 'image-processing', 'data-analysis'] },
  'version-control': { first: 3300, names: ['git-operations', 'github-api', 'gitlab', 'bitbucket', 'svn'] },
  devtools: {
    first: 3350,
    names: ['code-analysis', 'testing-framework', 'build-system', 'package-manager', 'ide-integration'],
  },
  system: {
    first: 3400,
    names: ['process-management', 'system-monitoring', 'log-management', 'performance', 'security'],
  },
  communication: { first: 3450, names: ['email', 'sms', 'slack', 'discord', 'teams'] },
  business: { first: 3500, names: ['crm', 'erp', 'accounting', 'project-management', 'hr'] },
  iot: { first: 3550, names: ['sensor-data', 'device-control', 'arduino', 'raspberry-pi', 'smart-home'] },
  core: {
    first: 4100,
    names: [
      'git-memory-server',
      '3d-sco-memory',
      '3d-sco-thinking',
      '3d-sco-blender',
      'figma-developer-mcp',
      '3d-sco-multifetch',
      '3d-sco-playwright',
      'puppeteer-server',
      'aindreyway-codex-keeper',
      'github-server',
    ],
  },
};

interface Found {
  readonly file: string;
  readonly server: ServerDefinition;
}

/** Only files that declare a server are imported: others may be entry points of workers and child processes. */
async function findServers(): Promise<Found[]> {
  const files = globSync('src/servers/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .filter((file) => /^export default defineServer\(/m.test(readFileSync(join(root, file), 'utf8')))
    .sort();
  return Promise.all(
    files.map(async (file) => {
      const module = (await import(join(root, file))) as { default: ServerDefinition };
      return { file, server: module.default };
    }),
  );
}

type Schema = { [key: string]: unknown } | undefined;

const isSchema = (value: unknown): value is NonNullable<Schema> =>
  typeof value === 'object' && value !== null;

/** Paths of properties without a description, at any depth. */
function undescribed(schema: unknown, path = ''): string[] {
  if (Array.isArray(schema)) return schema.flatMap((part) => undescribed(part, path));
  if (!isSchema(schema)) return [];
  const properties = isSchema(schema['properties']) ? Object.entries(schema['properties']) : [];
  return [
    ...properties.flatMap(([name, property]) => [
      ...(isSchema(property) && typeof property['description'] === 'string' ? [] : [`${path}.${name}`]),
      ...undescribed(property, `${path}.${name}`),
    ]),
    ...['items', 'prefixItems', 'additionalProperties', 'anyOf', 'allOf', 'oneOf'].flatMap((key) =>
      undescribed(schema[key], path),
    ),
  ];
}

/** True for a field that takes any JSON value. */
const takesAnything = (schema: unknown): boolean =>
  isSchema(schema) && Object.keys(schema).every((key) => ['description', 'default', 'title'].includes(key));

const inputSchema = (tool: ToolDefinition) => z.toJSONSchema(tool.input, { io: 'input' });
const outputSchema = (tool: ToolDefinition) => z.toJSONSchema(tool.output, { io: 'output' });

const servers = await findServers();

it('finds the built-in servers', () => {
  expect(servers.length).toBeGreaterThanOrEqual(4);
  expect(new Set(servers.map(({ server }) => server.name)).size).toBe(servers.length);
});

describe.each(servers)('$server.name', ({ file, server }) => {
  const doc = join(root, 'docs/reference/servers', `${server.name}.md`);
  const docText = existsSync(doc) ? readFileSync(doc, 'utf8') : '';

  it('is named after its file and stands on its place in the port table', () => {
    expect(basename(file, '.ts')).toBe(server.name);
    expect(basename(dirname(file))).toBe(server.category);
    expect(server.name).toMatch(/^[a-z0-9][a-z0-9-]{0,23}$/);
    const category = portTable[server.category];
    expect(category?.names).toContain(server.name);
    expect(server.port).toBe(category!.first + category!.names.indexOf(server.name));
  });

  it('says what it is', () => {
    expect(server.title.length).toBeGreaterThan(2);
    expect(server.description.length).toBeGreaterThanOrEqual(40);
    expect(server.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(server.tools.length).toBeGreaterThan(0);
    expect(new Set(server.tools.map((tool) => tool.name)).size).toBe(server.tools.length);
  });

  it('runs without settings unless it needs credentials, and refuses unknown ones', () => {
    if (!server.settings) return;
    if ((server.credentials ?? []).length === 0) expect(server.settings.safeParse({}).success).toBe(true);
    expect(server.settings.safeParse({ noSuchSetting: 1 }).success).toBe(false);
    const schema = z.toJSONSchema(server.settings, { io: 'input' });
    expect(undescribed(schema)).toEqual([]);
    for (const name of Object.keys(schema.properties ?? {})) expect(docText).toContain(`\`${name}\``);
  });

  it('is probed by a read-only tool that reaches nothing outside, with arguments that it takes', async () => {
    const { probe } = server;
    if (!probe) return;
    const tool = server.tools.find(({ name }) => name === probe.tool);
    expect(tool?.annotations).toMatchObject({ readOnlyHint: true, openWorldHint: false });
    expect(tool?.input.safeParse(probe.arguments).error).toBe(undefined);
  });

  describe.each(server.tools.map((tool) => ({ name: tool.name, tool })))('$name', ({ tool }) => {
    it('has name, title and a description that a model can use', () => {
      expect(tool.name).toMatch(/^[a-z0-9_]+$/);
      expect(`${server.name}__${tool.name}`.length).toBeLessThanOrEqual(64);
      expect(tool.title.length).toBeGreaterThan(2);
      expect(tool.description.length).toBeGreaterThanOrEqual(40);
    });

    it('describes every field of its input and output in JSON Schema', () => {
      expect(inputSchema(tool)).toMatchObject({ type: 'object' });
      expect(outputSchema(tool)).toMatchObject({ type: 'object' });
      expect(undescribed(inputSchema(tool)).map((path) => `input${path}`)).toEqual([]);
      expect(undescribed(outputSchema(tool)).map((path) => `output${path}`)).toEqual([]);
    });

    it('declares how it behaves', () => {
      const { readOnlyHint, destructiveHint, openWorldHint } = tool.annotations;
      expect(readOnlyHint).toBeTypeOf('boolean');
      expect(openWorldHint).toBeTypeOf('boolean');
      if (readOnlyHint !== true) expect(destructiveHint).toBeTypeOf('boolean');
    });

    it('refuses garbage', () => {
      const garbage = [undefined, null, 'x', 42, [], { noSuchField: 1 }];
      expect(garbage.filter((value) => tool.input.safeParse(value).success)).toEqual([]);
      const fields = Object.entries(inputSchema(tool).properties ?? {}).filter(
        ([, schema]) => !takesAnything(schema),
      );
      const lenient = fields.filter(([field]) => {
        const { error } = tool.input.safeParse({ [field]: { $garbage: [() => 0] } });
        return error?.issues.some((issue) => issue.path[0] === field) !== true;
      });
      expect(lenient.map(([field]) => field)).toEqual([]);
    });

    it('is in the reference', () => {
      expect(docText).toContain(`\`${tool.name}\``);
    });
  });
});
