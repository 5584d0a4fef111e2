/**
 * What of a listed item may be shown to clients. Many check a whole list at once and reject all of it for one bad
 * item, so one careless server would take the tools of all others away.
 */

import type { ListKind } from '../catalog/listing.ts';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isName: Check = (value) => typeof value === 'string' && value !== '';
const isObjectSchema: Check = (value) => isJsonObject(value) && value['type'] === 'object';

const optional: Readonly<Record<string, Check>> = {
  title: isText,
  description: isText,
  mimeType: isText,
  size: (value) => typeof value === 'number',
  outputSchema: isJsonObject,
  annotations: isJsonObject,
  _meta: isJsonObject,
  icons: (value) => Array.isArray(value) && value.every((icon) => isJsonObject(icon) && isText(icon['src'])),
  arguments: (value) =>
    Array.isArray(value) && value.every((argument) => isJsonObject(argument) && isName(argument['name'])),
};

const identity: Readonly<Record<ListKind, string>> = {
  tools: 'name',
  prompts: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
};

/**
 * The item, untouched when nothing is wrong with it; without the optional fields of a wrong type; with a name and an
 * input schema where those are missing. Undefined when nothing identifies it.
 */
export function soundItem(kind: ListKind, item: unknown): JsonObject | undefined {
  if (!isJsonObject(item)) return undefined;
  const id = item[identity[kind]];
  if (!isName(id)) return undefined;
  const bad = Object.keys(item).filter(
    (key) => Object.hasOwn(optional, key) && item[key] !== undefined && !optional[key]!(item[key]),
  );
  const needsSchema = kind === 'tools' && !isObjectSchema(item['inputSchema']);
  const needsName = !isText(item['name']);
  if (bad.length === 0 && !needsSchema && !needsName) return item;
  const sound = Object.fromEntries(Object.entries(item).filter(([key]) => !bad.includes(key)));
  if (needsName) sound['name'] = id;
  if (needsSchema) {
    const given = item['inputSchema'];
    sound['inputSchema'] = { ...(isJsonObject(given) && given), type: 'object' };
  }
  return sound;
}
