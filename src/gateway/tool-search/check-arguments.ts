/** Arguments held against a tool's input schema before they are sent, so that a model learns at once what is wrong. */

import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';

/** A schema this large is left to its server to check. */
const maxSchemaChars = 100_000;
/** Faults told at a time. */
const maxFaults = 10;

/**
 * Left out of the check: regular expressions of strangers could hold up this process, and formats are notes in
 * JSON Schema 2020-12.
 */
const skipped = new Set(['pattern', 'patternProperties', 'format', 'propertyNames', 'default']);

function withoutExpressions(schema: unknown, isMap = false): unknown {
  if (Array.isArray(schema)) return schema.map((part) => withoutExpressions(part));
  if (!isJsonObject(schema)) return schema;
  // What only a skipped expression allows must not be refused.
  const isOpen = 'patternProperties' in schema;
  return Object.fromEntries(
    Object.entries(schema)
      // Under `properties` the keys are names, not keywords.
      .filter(([key]) => isMap || !(skipped.has(key) || (isOpen && key === 'additionalProperties')))
      .map(([key, value]) => {
        const isValue = !isMap && (key === 'enum' || key === 'const');
        return [key, isValue ? value : withoutExpressions(value, !isMap && isNameMap(key))];
      }),
  );
}

const isNameMap = (key: string): boolean =>
  key === 'properties' || key === '$defs' || key === 'definitions' || key === 'dependentSchemas';

const compiled = new WeakMap<JsonObject, z.ZodType | 'unchecked'>();

function shapeOf(schema: JsonObject): z.ZodType | 'unchecked' {
  const known = compiled.get(schema);
  if (known) return known;
  const shape = compile(schema);
  compiled.set(schema, shape);
  return shape;
}

/** What zod cannot express is left to the server, which checks anyway. */
function compile(schema: JsonObject): z.ZodType | 'unchecked' {
  if (JSON.stringify(schema).length > maxSchemaChars) return 'unchecked';
  try {
    return z.fromJSONSchema(withoutExpressions(schema) as Parameters<typeof z.fromJSONSchema>[0]);
  } catch {
    return 'unchecked';
  }
}

/** What is wrong, a line a fault, each with its field; empty when nothing is, or when the schema cannot be checked here. */
export function argumentFaults(schema: unknown, args: JsonObject): string[] {
  if (!isJsonObject(schema)) return [];
  const shape = shapeOf(schema);
  if (shape === 'unchecked') return [];
  const parsed = shape.safeParse(args);
  if (parsed.success) return [];
  return parsed.error.issues.slice(0, maxFaults).map(({ path, message }) => {
    const field = path.map(String).join('.');
    return field === '' ? message : `${field}: ${message}`;
  });
}
