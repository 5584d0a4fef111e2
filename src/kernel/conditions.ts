/**
 * Conditions in CEL, the Common Expression Language (cel.dev), compiled once and bounded in length, size and cost. There is
 * no way from an expression to anything but the values that it is given.
 */

import { celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { AppError, messageOf } from './errors.ts';

/** The values of one evaluation, by the names that the condition may use. */
export type ConditionValues = Readonly<Record<string, unknown>>;

export interface Condition {
  readonly text: string;
  /** Which of the names it speaks of. */
  readonly names: ReadonlySet<string>;
  /** Throws an Error for values that it cannot be decided on: what that means is for the caller to say. */
  holds(values: ConditionValues): boolean;
}

const maxLength = 1000;
const maxNodes = 200;
/** `all`, `exists`, `map` and the like inside each other would cost the product of their lists. */
const maxNesting = 1;
/** Items of a list, or entries of a map, that one evaluation walks over at most. */
const maxItems = 10_000;

const env = celEnv();

interface Node {
  readonly exprKind: { readonly case?: string | undefined; readonly value?: unknown };
}

interface Found {
  nodes: number;
  nesting: number;
  readonly names: Set<string>;
  readonly functions: Set<string>;
}

type Parts = Readonly<Record<string, unknown>>;

/** The loops' own variables are not names of ours. */
function walk(node: Node | undefined, found: Found, own: ReadonlySet<string>, depth: number): void {
  if (node?.exprKind.case === undefined) return;
  found.nodes += 1;
  found.nesting = Math.max(found.nesting, depth);
  const value = node.exprKind.value as Parts;
  const into = (child: unknown, names = own, at = depth) => walk(child as Node | undefined, found, names, at);
  const all = (children: unknown) => (children as unknown[]).forEach((child) => into(child));
  switch (node.exprKind.case) {
    case 'identExpr':
      if (!own.has(String(value['name']))) found.names.add(String(value['name']));
      break;
    case 'selectExpr':
      into(value['operand']);
      break;
    case 'callExpr':
      found.functions.add(String(value['function']));
      into(value['target']);
      all(value['args']);
      break;
    case 'listExpr':
      all(value['elements']);
      break;
    case 'structExpr':
      for (const entry of value['entries'] as Parts[]) {
        into((entry['keyKind'] as Parts)['value']);
        into(entry['value']);
      }
      break;
    case 'comprehensionExpr': {
      const loop = [value['iterVar'], value['iterVar2'], value['accuVar']].map(String);
      into(value['iterRange']);
      into(value['accuInit']);
      const inner = new Set([...own, ...loop]);
      for (const part of ['loopCondition', 'loopStep', 'result']) into(value[part], inner, depth + 1);
      break;
    }
  }
}

function refuse(field: string, problem: string, cause?: unknown): never {
  throw new AppError('INVALID_INPUT', { field, problem }, { cause });
}

/** Macros and operators that the planner takes by itself. */
const ownFunctions = /^(?:_|!_|-_|@|has$)/;

/** Compiles. Throws INVALID_INPUT for `field` on what is no CEL, is too large, or names what there is not. */
export function compileCondition(text: string, names: readonly string[], field = 'when'): Condition {
  if (text.length > maxLength) refuse(field, `is ${text.length} characters long, the limit is ${maxLength}`);
  const parsed = parseText(text, field);
  const found: Found = { nodes: 0, nesting: 0, names: new Set(), functions: new Set() };
  walk(parsed.expr, found, new Set(), 0);
  if (found.nodes > maxNodes)
    refuse(field, `has ${found.nodes} parts, the limit is ${maxNodes}; split the rule`);
  if (found.nesting > maxNesting)
    refuse(field, 'has a loop (all, exists, map, filter) inside another; use one');
  const unknown = [...found.names].find((name) => !names.includes(name));
  if (unknown !== undefined) refuse(field, `does not know ${unknown}; it may use ${names.join(', ')}`);
  const strange = [...found.functions].find((name) => !ownFunctions.test(name) && !env.funcs.find(name));
  if (strange !== undefined) refuse(field, `has no function ${strange}; see the standard functions of CEL`);
  const run = plan(env, parsed);
  const isLooping = found.nesting > 0;
  return {
    text,
    names: found.names,
    holds(values) {
      if (isLooping && countItems(values, 0) > maxItems)
        throw new Error(`more than ${maxItems} items to look at`);
      const result = run(values as Parameters<typeof run>[0]);
      if (isCelError(result)) throw new Error(result.message);
      if (typeof result !== 'boolean') throw new Error('the condition is neither true nor false');
      return result;
    },
  };
}

function parseText(text: string, field: string): ReturnType<typeof parse> {
  try {
    return parse(text);
  } catch (error) {
    return refuse(field, `is no CEL expression: ${messageOf(error)}`, error);
  }
}

function countItems(value: unknown, so: number): number {
  if (typeof value !== 'object' || value === null || so > maxItems) return so;
  let count = so;
  for (const child of Object.values(value)) {
    count = countItems(child, count + 1);
    if (count > maxItems) break;
  }
  return count;
}
