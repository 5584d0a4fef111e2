/** A tool in a few words: enough to choose it, and often to call it. */

import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import type { FoundTool } from './searched-tools.ts';

const maxDescriptionChars = 240;
const maxNamed = 5;

/** The row of a tool in an answer of `find_tools`. */
export function summarizeTool({ definition, target, also }: FoundTool): JsonObject {
  const spec = target.group.instances[0]?.spec;
  const { title, description } = definition;
  return {
    name: definition['name'],
    server: spec?.alias || (spec?.name ?? ''),
    category: spec?.category ?? '',
    ...(typeof title === 'string' && { title }),
    ...(typeof description === 'string' && { description: beginningOf(description) }),
    parameters: parametersOf(definition['inputSchema']),
    ...(also.length > 0 && { also: namesOf(also) }),
  };
}

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, maxNamed).join(', ');
  return names.length > maxNamed ? `${shown} and ${names.length - maxNamed} more` : shown;
}

/** Whole sentences as far as they fit, else whole words. */
function beginningOf(description: string): string {
  const text = description.replaceAll(/\s+/g, ' ').trim();
  if (text.length <= maxDescriptionChars) return text;
  const cut = text.slice(0, maxDescriptionChars);
  const sentence = cut.lastIndexOf('. ');
  if (sentence > maxDescriptionChars / 3) return cut.slice(0, sentence + 1);
  const word = cut.lastIndexOf(' ');
  return `${(word > 0 ? cut.slice(0, word) : cut).toWellFormed()} …`;
}

/** `path: string, recursive?: boolean`. */
export function parametersOf(schema: unknown): string {
  const properties = isJsonObject(schema) ? schema['properties'] : undefined;
  if (!isJsonObject(schema) || !isJsonObject(properties)) return '';
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  const names = Object.keys(properties);
  const ordered = [
    ...names.filter((name) => required.has(name)),
    ...names.filter((name) => !required.has(name)),
  ];
  return ordered
    .map((name) => `${name}${required.has(name) ? '' : '?'}: ${typeOf(properties[name])}`)
    .join(', ');
}

function typeOf(schema: unknown): string {
  if (!isJsonObject(schema)) return 'any';
  const { type, items } = schema;
  const choices = schema['enum'];
  if (Array.isArray(choices) && choices.length <= 8)
    return choices.map((one) => JSON.stringify(one)).join('|');
  if ('const' in schema) return JSON.stringify(schema['const']);
  if (type === 'array') return `${typeOf(items)}[]`;
  if (Array.isArray(type)) return type.join('|');
  if (typeof type === 'string') return type;
  const parts = schema['anyOf'] ?? schema['oneOf'];
  return Array.isArray(parts) && parts.length <= 4 ? [...new Set(parts.map(typeOf))].join('|') : 'any';
}
