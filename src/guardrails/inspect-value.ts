/** Walks arguments, results and definitions once: counts, shows each text to the guardrails, takes out what has to go. */

import type { GuardrailAction, GuardrailDirection, SizeBounds } from '../kernel/guardrail-options.ts';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import type { Guardrail } from './guardrail.ts';

/** A guardrail with what is done about its findings here. */
export interface Watch {
  readonly guardrail: Guardrail;
  readonly action: Exclude<GuardrailAction, 'off'>;
  readonly ignore: ReadonlySet<string>;
}

export interface Found {
  readonly watch: Watch;
  readonly rule: string;
  /** Where it was first seen. */
  readonly field: string;
  count: number;
}

export interface Inspection {
  readonly found: readonly Found[];
  /** The very same value where nothing was taken out. */
  readonly value: unknown;
}

/** Deeper is never looked through, whatever the bounds: a walk must not exhaust the stack. */
const deepest = 1000;
/** A field named in errors; other names may hold what must not be repeated. */
const plainName = /^[\w$-]{1,40}$/;
/** Numbers from here on can be cards and ids. */
const leastNumber = 1e11;

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/** Thrown inside of a walk to end it. */
class TooLarge {
  readonly rule: string;
  constructor(rule: string) {
    this.rule = rule;
  }
}

/** True for pictures, sound and other bytes: their letters say nothing. */
function holdsBytes(owner: JsonObject, name: string): boolean {
  return name === 'blob' || (name === 'data' && typeof owner['mimeType'] === 'string');
}

/** What the watches find in a value, and the value without what they take out; undefined when they find nothing. */
export function inspectValue(
  value: unknown,
  watches: readonly Watch[],
  direction: GuardrailDirection,
  root = '',
): Inspection | undefined {
  const path: (string | number)[] = root === '' ? [] : [root];
  const field = { direction, name: '' };
  const found: Found[] = [];
  const readers = watches.filter((one) => one.guardrail.inspect !== undefined);
  const sizer = watches.find(({ guardrail }) => guardrail.bounds);
  const bounds: SizeBounds | undefined = sizer?.guardrail.bounds;
  let bytesAtMost = 0;
  let members = 0;
  let edits: Edit[] = [];
  let watch: Watch | undefined;

  function note(by: Watch, rule: string): void {
    const known = found.find((one) => one.watch === by && one.rule === rule);
    if (known) known.count += 1;
    else found.push({ watch: by, rule, field: pathText(path), count: 1 });
  }

  const report = (rule: string, start: number, end: number): void => {
    if (!watch || watch.ignore.has(rule)) return;
    note(watch, rule);
    if (watch.action === 'redact') {
      edits.push({ start, end, label: `[removed: ${watch.guardrail.name}/${rule}]` });
    }
  };

  function look(text: string): string {
    for (watch of readers) watch.guardrail.inspect!(text, field, report);
    if (edits.length === 0) return text;
    const edited = applyEdits(text, edits);
    edits = [];
    return edited;
  }

  function count(text: string): void {
    // No character takes more than three bytes in UTF-8 for each of its units.
    bytesAtMost += text.length * 3;
  }

  function visitMembers(owner: JsonObject, depth: number): JsonObject {
    let copy: [string, unknown][] | undefined;
    let at = 0;
    const names = Object.keys(owner);
    for (const name of names) {
      count(name);
      const seenName = name.length < 10 || readers.length === 0 ? name : look(name);
      path.push(seenName === name ? name : '*');
      field.name = name;
      const before = owner[name];
      const after = holdsBytes(owner, name) ? counted(before) : visit(before, depth);
      path.pop();
      if (!copy && (after !== before || seenName !== name)) {
        copy = names.slice(0, at).map((one) => [one, owner[one]]);
      }
      copy?.push([seenName, after]);
      at += 1;
    }
    return copy ? Object.fromEntries(copy) : owner;
  }

  function counted(bytes: unknown): unknown {
    if (typeof bytes === 'string') count(bytes);
    return bytes;
  }

  function visitItems(list: readonly unknown[], depth: number): unknown {
    let copy: unknown[] | undefined;
    const { name } = field;
    for (let at = 0; at < list.length; at += 1) {
      path.push(at);
      field.name = name;
      const after = visit(list[at], depth);
      path.pop();
      if (!copy && after !== list[at]) copy = list.slice(0, at);
      copy?.push(after);
    }
    return copy ?? list;
  }

  function visit(one: unknown, depth: number): unknown {
    if (typeof one === 'string') {
      count(one);
      return readers.length === 0 ? one : look(one);
    }
    if (typeof one === 'number') {
      if (readers.length === 0 || one < leastNumber || !Number.isSafeInteger(one)) return one;
      const text = String(one);
      const seen = look(text);
      return seen === text ? one : seen;
    }
    if (typeof one !== 'object' || one === null) return one;
    if (depth >= deepest) throw new TooLarge('depth');
    if (bounds && depth >= bounds.maxDepth) throw new TooLarge('depth');
    const isList = Array.isArray(one);
    if (bounds) {
      members += isList ? one.length : Object.keys(one).length;
      if (members > bounds.maxMembers) throw new TooLarge('members');
    }
    return isList ? visitItems(one, depth + 1) : visitMembers(one as JsonObject, depth + 1);
  }

  let seen = value;
  try {
    seen = visit(value, 0);
    if (sizer && bounds && bytesAtMost > bounds.maxBytes && bytesOf(value) > bounds.maxBytes) {
      note(sizer, 'bytes');
    }
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    // What could not be looked through to its end is not let through in part.
    const { rule } = error;
    const action = sizer && sizer.action !== 'allow' && sizer.action !== 'redact' ? sizer.action : 'block';
    const by: Watch = { guardrail: sizer?.guardrail ?? unbounded, action, ignore: new Set() };
    found.push({ watch: by, rule, field: root, count: 1 });
  }
  return found.length === 0 ? undefined : { found, value: seen };
}

const unbounded: Guardrail = { name: 'sizeAndDepth', directions: ['arguments', 'results'] };

/** UTF-8 bytes of all texts and member names of a value. */
function bytesOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + bytesOf(one), 0);
  if (!isJsonObject(value)) return 0;
  return Object.entries(value).reduce((sum, [name, one]) => sum + Buffer.byteLength(name) + bytesOf(one), 0);
}

function pathText(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${plainName.test(step) ? step : '*'}`;
  }
  return text;
}

/** The text with its edits made; those that overlap become one, with the label of the longer. */
function applyEdits(text: string, edits: readonly Edit[]): string {
  const sorted = edits.toSorted((a, b) => a.start - b.start || b.end - a.end);
  let result = '';
  let from = 0;
  for (const { start, end, label } of sorted) {
    if (end <= from) continue;
    if (start >= from) result += text.slice(from, start) + label;
    from = end;
  }
  return result + text.slice(from);
}
