/** Turns another client's entry into ours. Secrets stay where they are: our file gets references to variables. */

import { isSecretName, maskUrl } from '../../config/mask-secrets.ts';
import { parseServerEntry } from '../../config/parse-server-entry.ts';
import { referenceShape } from '../../config/reference.ts';
import { entryKeys } from '../../config/server-entry.ts';
import { messageOf } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import type { FoundServer } from './find-servers.ts';

/** A secret that our config refers to by a variable. */
export interface MovedSecret {
  /** Variable to set before start. */
  readonly variable: string;
  readonly server: string;
  /** File that holds the value now. */
  readonly file: string;
}

/** The entries for our config, and what to tell about them. */
export interface TakenOver {
  readonly servers: Readonly<Record<string, JsonObject>>;
  readonly secrets: readonly MovedSecret[];
  /** Keys of other clients that mean nothing here, by server. */
  readonly dropped: readonly { readonly server: string; readonly keys: readonly string[] }[];
  /** Entries that are wrong where they come from. */
  readonly refused: readonly { readonly server: string; readonly problem: string }[];
}

/** Prefixes and shapes of well-known tokens: OpenAI, GitHub, GitLab, Slack, AWS, JWT, long random text. */
const tokenPattern =
  /(^|[\s=:])(sk-|pk-|gh[opsu]_|github_pat_|glpat-|xox[abprs]-|AKIA|eyJ|Bearer\s|Basic\s)|^(?=[^/\\]*\d)(?=[^/\\]*[A-Za-z])[\w+=.~-]{24,}$/;

function isSecret(name: string, value: string): boolean {
  if (value === '' || /^(\$\{[^}]+\}|Bearer |Basic )+$/.test(value)) return false;
  return isSecretName(name) || tokenPattern.test(value) || maskUrl(value) !== value;
}

function upper(text: string): string {
  return text
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
}

/** Gives each secret a variable: its own name if it has a good one and that is free, else one with the server's name. */
function createVault(): {
  hide(server: FoundServer, own: string | undefined, label: string, value: string): string;
  readonly secrets: MovedSecret[];
} {
  const values = new Map<string, string>();
  const secrets: MovedSecret[] = [];
  return {
    secrets,
    hide(server, own, label, value) {
      const long = `${upper(server.name)}_${upper(label)}`.replace(/^(?=\d)/, '_');
      const candidates = [
        ...(own === undefined ? [] : [own]),
        long,
        ...Array.from({ length: 50 }, (_, index) => `${long}_${index + 2}`),
      ];
      const variable = candidates.find((name) => !values.has(name) || values.get(name) === value) ?? long;
      if (!values.has(variable)) secrets.push({ variable, server: server.name, file: server.file });
      values.set(variable, value);
      return variable;
    },
  };
}

type Vault = ReturnType<typeof createVault>;

function hideInMap(values: unknown, server: FoundServer, kind: 'env' | 'headers', vault: Vault): unknown {
  if (!isJsonObject(values)) return values;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (typeof value !== 'string' || referenceShape.safeParse(value).success || !isSecret(name, value))
        return [name, value];
      return [
        name,
        {
          env: vault.hide(
            server,
            kind === 'env' && /^[A-Za-z_]\w*$/.test(name) ? name : undefined,
            name,
            value,
          ),
        },
      ];
    }),
  );
}

/** `--api-key VALUE`, `--api-key=VALUE` and bare tokens. */
function hideInArgs(args: readonly unknown[], server: FoundServer, vault: Vault): unknown[] {
  const hide = (label: string, value: string) => `\${env:${vault.hide(server, undefined, label, value)}}`;
  return args.map((arg, index) => {
    if (typeof arg !== 'string') return arg;
    const before = args[index - 1];
    const flag = typeof before === 'string' && /^--?[\w-]+$/.test(before) ? before : '';
    if (flag !== '' && isSecretName(flag) && !arg.startsWith('-') && isSecret(flag, arg))
      return hide(flag, arg);
    const pair = /^((?:--?)?[\w.-]+)=(.*)$/s.exec(arg);
    if (pair && isSecret(pair[1]!, pair[2]!)) return `${pair[1]}=${hide(pair[1]!, pair[2]!)}`;
    return !arg.startsWith('-') && isSecret('', arg) ? hide(`arg ${index + 1}`, arg) : arg;
  });
}

function convert(server: FoundServer, vault: Vault): { entry: JsonObject; dropped: string[] } {
  const known = Object.entries(server.entry).filter(([key]) => entryKeys.includes(key));
  const dropped = Object.keys(server.entry).filter((key) => !entryKeys.includes(key));
  const entry: JsonObject = Object.fromEntries(known);
  for (const kind of ['env', 'headers'] as const)
    if (kind in entry) entry[kind] = hideInMap(entry[kind], server, kind, vault);
  if (Array.isArray(entry['args'])) entry['args'] = hideInArgs(entry['args'], server, vault);
  if (typeof entry['url'] === 'string' && isSecret('', entry['url'])) {
    entry['url'] = `\${env:${vault.hide(server, undefined, 'url', entry['url'])}}`;
  }
  return { entry, dropped };
}

/** Takes over what is valid; nothing of a refused entry is written. */
export function takeOver(found: readonly FoundServer[]): TakenOver {
  const vault = createVault();
  const servers: Record<string, JsonObject> = {};
  const dropped: { server: string; keys: string[] }[] = [];
  const refused: { server: string; problem: string }[] = [];
  for (const server of found) {
    const converted = convert(server, vault);
    try {
      parseServerEntry(server.name, converted.entry);
    } catch (error) {
      refused.push({ server: server.name, problem: messageOf(error) });
      continue;
    }
    servers[server.name] = converted.entry;
    if (converted.dropped.length > 0) dropped.push({ server: server.name, keys: converted.dropped });
  }
  return { servers, secrets: vault.secrets.filter(({ server }) => server in servers), dropped, refused };
}
