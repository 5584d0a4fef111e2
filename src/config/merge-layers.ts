/** Lays one config over another. */

import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import { referenceShape } from './reference.ts';

/** Maps are merged key by key; lists, references and single values are replaced. Neither argument changes. */
export function mergeLayers(base: JsonObject, over: JsonObject): JsonObject {
  const merged: JsonObject = { ...base };
  for (const [key, value] of Object.entries(over)) {
    // Assigning it would set a prototype, not a value.
    if (key === '__proto__') continue;
    const current = merged[key];
    const isMap = isJsonObject(value) && isJsonObject(current);
    const isReference = referenceShape.safeParse(value).success || referenceShape.safeParse(current).success;
    merged[key] = isMap && !isReference ? mergeLayers(current, value) : value;
  }
  return merged;
}

/** Sets a dotted path in a nested object, making the maps on the way. */
export function setAt(target: JsonObject, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  let place = target;
  for (const key of keys) {
    const next = isJsonObject(place[key]) ? place[key] : {};
    place[key] = next;
    place = next;
  }
  place[last] = value;
}
