/** Arguments that a bundle settles once for all callers of a tool. */

import { AppError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';

/** The caller's arguments with the settled ones; throws INVALID_INPUT when the caller gives one of those. */
export function withFixed(args: unknown, fixed: JsonObject): JsonObject {
  const given = isJsonObject(args) ? args : {};
  const taken = Object.keys(fixed).find((name) => Object.hasOwn(given, name));
  if (taken !== undefined) {
    throw new AppError('INVALID_INPUT', {
      field: `arguments.${taken}`,
      problem: 'is set by the bundle: leave it out',
    });
  }
  return { ...given, ...fixed };
}

/** An input schema as the callers see it: without the settled arguments. */
export function withoutFixed(schema: unknown, fixed: JsonObject): JsonObject {
  if (!isJsonObject(schema)) return { type: 'object' };
  const isFree = (name: unknown) => typeof name !== 'string' || !Object.hasOwn(fixed, name);
  const { properties, required } = schema;
  return {
    ...schema,
    ...(isJsonObject(properties) && {
      properties: Object.fromEntries(Object.entries(properties).filter(([name]) => isFree(name))),
    }),
    ...(Array.isArray(required) && { required: required.filter(isFree) }),
  };
}
