/** The single values of the config as a list, read out of the schema: path, environment name, flag, kind, default. */

import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import { configJsonSchema } from './schema.ts';

/** One setting of the schema. */
export interface Setting {
  /** Dotted, e.g. `limits.bodyBytes`. */
  readonly path: string;
  /** e.g. `GIT_MEMORY_MCP_LIMITS_BODY_BYTES`; maps such as `mcpServers` have none. */
  readonly envName?: string;
  /** Flag of `start`, e.g. `--port`. */
  readonly flag?: string;
  readonly kind: 'integer' | 'string' | 'boolean' | 'array' | 'map';
  readonly choices?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly defaultValue: unknown;
  /** How it may look, for one without a default. */
  readonly example?: unknown;
  readonly description: string;
}

/** Flags of `start`; their names are part of the command line and so are written here, not derived. */
const flags: Readonly<Record<string, string>> = {
  servers: '--servers',
  port: '--port',
  host: '--host',
  dataDir: '--data',
  profile: '--profile',
  instancePorts: '--ports',
  logLevel: '--log-level',
  'auth.mode': '--auth',
  'tls.cert': '--tls-cert',
  'tls.key': '--tls-key',
};

const envPrefix = 'GIT_MEMORY_MCP_';

function envNameOf(path: string): string {
  return (
    envPrefix +
    path
      .replaceAll('.', '_')
      .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
      .toUpperCase()
  );
}

function toSetting(path: string, schema: JsonObject): Setting {
  const isMap = schema['type'] === 'object';
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
  return {
    path,
    kind: isMap ? 'map' : (schema['type'] as Setting['kind']),
    ...(!isMap && { envName: envNameOf(path) }),
    ...(flags[path] !== undefined && { flag: flags[path] }),
    ...(Array.isArray(schema['enum']) && { choices: schema['enum'] as string[] }),
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER && { maximum }),
    defaultValue: schema['default'],
    ...(Array.isArray(schema['examples']) && { example: schema['examples'][0] as unknown }),
    description: typeof schema['description'] === 'string' ? schema['description'] : '',
  };
}

function collect(prefix: string, schema: JsonObject, found: Setting[]): void {
  for (const [key, child] of Object.entries(isJsonObject(schema['properties']) ? schema['properties'] : {})) {
    if (!isJsonObject(child) || key === '$schema' || key === 'profiles') continue;
    const path = prefix === '' ? key : `${prefix}.${key}`;
    // A section that may be absent is one value: its fields mean nothing one by one.
    if (isJsonObject(child['properties']) && 'default' in child) collect(path, child, found);
    else found.push(toSetting(path, child));
  }
}

/** Every setting in schema order. */
export function listSettings(): Setting[] {
  const found: Setting[] = [];
  collect('', configJsonSchema(), found);
  return found;
}

/** Text from a flag or the environment as the setting's kind; what does not fit stays text for the schema to refuse. */
export function parseSetting(setting: Setting, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (setting.kind === 'integer') return /^[+-]?\d+$/.test(text) ? Number(text) : value;
  if (setting.kind === 'array') return text === '' ? [] : text.split(',').map((item) => item.trim());
  if (setting.kind === 'boolean') {
    if (/^(true|1|yes|on)$/i.test(text)) return true;
    if (/^(false|0|no|off)$/i.test(text)) return false;
  }
  return value;
}

/** The part of a config at a dotted path; undefined where there is none. */
export function valueAt(config: unknown, path: string): unknown {
  let place = config;
  for (const step of path.split('.')) place = isJsonObject(place) ? place[step] : undefined;
  return place;
}
