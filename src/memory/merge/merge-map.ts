/** Merge type of objects, field by field. */

import { mergeOption } from './merge-option.ts';
import { type Merge, type PlaceConflict, agreed } from './merge-type.ts';

/** Objects whose fields are of one merge type. */
export function mergeMap<T>(mergeField: Merge<T>): Merge<Readonly<Record<string, T>>> {
  const merge = mergeOption(mergeField);
  return (base, ours, theirs, context) => {
    const fields: [string, T][] = [];
    const conflicts: PlaceConflict[] = [];
    for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      const field = merge(own(base, name), own(ours, name), own(theirs, name), context);
      if (field.value !== undefined) fields.push([name, field.value]);
      const prefix = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      for (const { kind, pointer } of field.conflicts) conflicts.push({ kind, pointer: prefix + pointer });
    }
    return { ...agreed(Object.fromEntries(fields)), conflicts };
  };
}

/** Only what the object itself has: a field may be called `constructor`. */
function own<T>(object: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return object && Object.hasOwn(object, name) ? object[name] : undefined;
}
