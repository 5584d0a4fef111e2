/** What has changed between two lists of tool definitions, in the terms of tools: parameters, not lines. */

import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { wordsOf } from '../../kernel/text/segment.ts';
import { stableJson } from '../../kernel/stable-json.ts';

/** One difference inside a definition; `before` or `after` is absent where there was or is nothing. */
export interface FieldChange {
  readonly what: 'title' | 'description' | 'parameter' | 'input' | 'output' | 'annotation' | 'other';
  /** Name of the parameter, annotation or field; empty for title and description. */
  readonly name: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface DefinitionChange {
  readonly kind: 'added' | 'removed' | 'renamed' | 'changed';
  /** The name now; of a removed tool, the last one. */
  readonly tool: string;
  /** The former name of a renamed tool. */
  readonly from?: string;
  readonly fields: readonly FieldChange[];
}

/** From this likeness on, a tool that went and one that came are one that was renamed. */
const renameLikeness = 0.65;
/** A renamed tool has other names; its description is compared by words. */
const wordFields = new Set(['name', 'title', 'description']);
/** More are not compared with each other: a list that changed so much was replaced. */
const maxCompared = 200;

/** Changes by tool, in the order of `after`, removed ones last. */
export function diffDefinitions(
  before: readonly JsonObject[],
  after: readonly JsonObject[],
): DefinitionChange[] {
  const old = byName(before);
  const now = byName(after);
  const gone = [...old.keys()].filter((name) => !now.has(name));
  const come = [...now.keys()].filter((name) => !old.has(name));
  const renames = findRenames(gone, come, old, now);
  const renamedFrom = new Set(renames.values());
  const changes: DefinitionChange[] = [];
  for (const [tool, definition] of now) {
    const from = renames.get(tool);
    const former = old.get(from ?? tool);
    if (!former) changes.push({ kind: 'added', tool, fields: fieldChanges({}, definition) });
    else if (from !== undefined)
      changes.push({ kind: 'renamed', tool, from, fields: fieldChanges(former, definition) });
    else if (!isSameDefinition(former, definition))
      changes.push({ kind: 'changed', tool, fields: fieldChanges(former, definition) });
  }
  for (const tool of gone) if (!renamedFrom.has(tool)) changes.push({ kind: 'removed', tool, fields: [] });
  return changes;
}

/** True for definitions that say the same. */
export function isSameDefinition(a: JsonObject, b: JsonObject): boolean {
  return a === b || stableJson(a) === stableJson(b);
}

function byName(definitions: readonly JsonObject[]): Map<string, JsonObject> {
  return new Map(definitions.map((definition) => [String(definition['name']), definition]));
}

/** New name → former name; the most alike first, each used once. */
function findRenames(
  gone: readonly string[],
  come: readonly string[],
  old: ReadonlyMap<string, JsonObject>,
  now: ReadonlyMap<string, JsonObject>,
): Map<string, string> {
  const pairs: { from: string; to: string; likeness: number }[] = [];
  const former = gone.slice(0, maxCompared).map((name) => [name, featuresOf(old.get(name) ?? {})] as const);
  for (const to of come.slice(0, maxCompared)) {
    const features = featuresOf(now.get(to) ?? {});
    for (const [from, others] of former) {
      const likeness = likenessOf(others, features);
      if (likeness >= renameLikeness) pairs.push({ from, to, likeness });
    }
  }
  pairs.sort((a, b) => b.likeness - a.likeness);
  const renames = new Map<string, string>();
  const used = new Set<string>();
  for (const { from, to } of pairs) {
    if (renames.has(to) || used.has(from)) continue;
    renames.set(to, from);
    used.add(from);
  }
  return renames;
}

/** What tools are compared by: the words of the description, and `path=value` of all else but the names. */
interface Likeness {
  readonly words: ReadonlySet<string>;
  readonly leaves: ReadonlySet<string>;
}

function featuresOf(definition: JsonObject): Likeness {
  const leaves = new Set<string>();
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const part of value) walk(part, `${path}[]`);
    else if (isJsonObject(value))
      for (const [key, part] of Object.entries(value)) walk(part, `${path}.${key}`);
    else leaves.add(`${path}=${JSON.stringify(value)}`);
  };
  for (const [key, value] of Object.entries(definition)) if (!wordFields.has(key)) walk(value, key);
  const { description } = definition;
  return { leaves, words: new Set(typeof description === 'string' ? wordsOf(description) : []) };
}

/** Two tools that say next to nothing are not alike. */
const minFeatures = 2;

/** From 0 to 1; description and all else count the same. */
function likenessOf(a: Likeness, b: Likeness): number {
  const isSilent = ({ words, leaves }: Likeness) => words.size + leaves.size < minFeatures;
  if (isSilent(a) || isSilent(b)) return 0;
  return (sharedPart(a.words, b.words) + sharedPart(a.leaves, b.leaves)) / 2;
}

function sharedPart(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((one) => b.has(one)).length;
  const all = a.size + b.size - shared;
  return all === 0 ? 1 : shared / all;
}

function fieldChanges(before: JsonObject, after: JsonObject): FieldChange[] {
  const changes: FieldChange[] = [];
  for (const field of ['title', 'description'] as const)
    changes.push(...difference(field, '', before[field], after[field]));
  changes.push(...eachDifference('parameter', parametersOf(before), parametersOf(after)));
  changes.push(...eachDifference('input', restOfInput(before), restOfInput(after)));
  changes.push(...difference('output', '', before['outputSchema'], after['outputSchema']));
  changes.push(
    ...eachDifference('annotation', objectOf(before['annotations']), objectOf(after['annotations'])),
  );
  changes.push(...eachDifference('other', restOf(before), restOf(after)));
  return changes;
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** Each parameter with its schema and whether it is required. */
function parametersOf(definition: JsonObject): JsonObject {
  const { properties, required } = objectOf(definition['inputSchema']);
  const names = Array.isArray(required) ? required : [];
  return Object.fromEntries(
    Object.entries(objectOf(properties)).map(([name, schema]) => [
      name,
      { ...objectOf(schema), required: names.includes(name) },
    ]),
  );
}

function restOfInput(definition: JsonObject): JsonObject {
  const { properties: _properties, required: _required, ...rest } = objectOf(definition['inputSchema']);
  return rest;
}

const described = new Set(['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations']);

function restOf(definition: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(definition).filter(([key]) => !described.has(key)));
}

function eachDifference(what: FieldChange['what'], before: JsonObject, after: JsonObject): FieldChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => difference(what, name, before[name], after[name]));
}

function difference(what: FieldChange['what'], name: string, before: unknown, after: unknown): FieldChange[] {
  if (before === after || stableJson([before]) === stableJson([after])) return [];
  return [{ what, name, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}
