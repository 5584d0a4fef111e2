/** Turns what the schema complains about into sentences that name the file, the line, the key and the nearest right one. */

import type { z } from 'zod';
import { AppError } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import type { Path } from './config-file.ts';
import { nearestOf } from './nearest.ts';
import { configJsonSchema } from './schema.ts';

/** One mistake in a config. */
export interface ConfigIssue {
  /** Dotted path of the value, e.g. `mcpServers.git.comand`. */
  readonly path: string;
  readonly problem: string;
  /** The nearest right key, for an unknown one. */
  readonly nearest?: string;
  /** The file, `--flag` or environment variable that holds it. */
  readonly origin: string;
  /** 1-based, in a file. */
  readonly line?: number;
}

/** Where the value at a path was written. */
export type Locate = (path: Path) => { readonly origin: string; readonly line?: number };

function variantsOf(schema: JsonObject): JsonObject[] {
  return Array.isArray(schema['anyOf']) ? schema['anyOf'].filter(isJsonObject).flatMap(variantsOf) : [schema];
}

/** The keys that the schema allows at a path. */
function keysAt(path: Path): string[] {
  let schemas = [configJsonSchema() as JsonObject];
  for (const step of path) {
    schemas = schemas
      .flatMap(variantsOf)
      .map((schema) => {
        const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
        return (
          properties[step] ?? (typeof step === 'number' ? schema['items'] : schema['additionalProperties'])
        );
      })
      .filter(isJsonObject);
  }
  return schemas
    .flatMap(variantsOf)
    .flatMap((schema) => Object.keys(isJsonObject(schema['properties']) ? schema['properties'] : {}));
}

function stepsOf(path: readonly PropertyKey[]): (string | number)[] {
  return path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

function unknownKey(path: Path, key: string, locate: Locate): ConfigIssue {
  const allowed = keysAt(path);
  const nearest = nearestOf(key, allowed);
  const where = path.length === 0 ? '' : ` in ${path.join('.')}`;
  const advice =
    nearest === undefined
      ? `; known keys: ${allowed.filter((name) => name !== '$schema').join(', ')}`
      : `; did you mean "${nearest}"?`;
  return {
    path: [...path, key].join('.'),
    problem: `unknown key "${key}"${where}${advice}`,
    ...(nearest !== undefined && { nearest }),
    ...locate([...path, key]),
  };
}

/** One sentence an issue; follow-ups of an unknown key in the same map are left out. */
export function describeIssues(error: z.ZodError, locate: Locate): ConfigIssue[] {
  const mapsWithUnknownKeys = new Set(
    error.issues.filter(({ code }) => code === 'unrecognized_keys').map(({ path }) => path.join('.')),
  );
  return error.issues.flatMap((issue): ConfigIssue[] => {
    const path = stepsOf(issue.path);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, locate));
    if (issue.code === 'custom' && mapsWithUnknownKeys.has(path.join('.'))) return [];
    const problem = issue.message.replace(/^Invalid (input|option): /, '');
    return [
      { path: path.join('.'), problem: `${path.join('.') || 'the config'}: ${problem}`, ...locate(path) },
    ];
  });
}

/** The issues as one CONFIG_INVALID in the order of the lines: its sentence tells the first, its data all of them. */
export function invalidConfig(found: readonly ConfigIssue[]): AppError {
  const issues = found.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const first = issues[0]!;
  const place = first.line === undefined ? '' : `line ${first.line}: `;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return new AppError('CONFIG_INVALID', {
    file: first.origin,
    problem: `${place}${first.problem}${more}`,
    path: first.path,
    issues,
  });
}
