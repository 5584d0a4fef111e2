/**
 * Chooses servers by what they are: `category=database,tag!=test,state in (unhealthy,degraded),name=sql*`.
 *
 *     selector = term *( "," term )                        all of them hold
 *     term     = field ( "=" / "!=" ) value
 *              / field [ "not" ] "in" "(" value *( "," value ) ")"
 *     value    = word                                      * stands for any text, ? for one character
 *              / JSON string                               stands for itself
 *
 * Spaces may stand between parts. A word holds no space and none of `,()=!"`.
 */

import { instanceStates, serverSources } from '../contract/rest/server-routes.ts';
import { AppError } from '../kernel/errors.ts';

/** What a selector asks about. */
export interface Selectable {
  readonly id: string;
  readonly name: string;
  readonly alias: string;
  readonly category: string;
  /** Holds when any of them does. */
  readonly tag: readonly string[];
  readonly state: string;
  readonly source: string;
  readonly transport: string;
  readonly port: string;
  readonly lazy: string;
}

type Field = keyof Selectable;

export interface Value {
  readonly text: string;
  /** `*` and `?` have their meaning. */
  readonly isPattern: boolean;
}

/** The field has one of the values, or with `isNegated` none of them. */
export interface Term {
  readonly field: Field;
  readonly isNegated: boolean;
  readonly values: readonly Value[];
}

/** Fields, with their values where they are settled. */
const fields: Readonly<Record<Field, readonly string[] | undefined>> = {
  id: undefined,
  name: undefined,
  alias: undefined,
  category: undefined,
  tag: undefined,
  state: instanceStates,
  source: serverSources,
  transport: ['in-process', 'stdio', 'streamable-http'],
  port: undefined,
  lazy: ['true', 'false'],
};

/** A JSON string, a word, an operator, or a character that is none of these. */
const tokenPattern = /\s*("(?:[^"\\]|\\.)*"|[^\s,()=!"]+|!=|[,()=]|\S)/gsy;

function invalid(problem: string): AppError {
  return new AppError('INVALID_INPUT', { field: 'select', problem });
}

/** The terms of a selector. Throws INVALID_INPUT saying what is wrong where. */
export function parseSelector(text: string): readonly Term[] {
  const tokens = [...text.trim().matchAll(tokenPattern)].map((match) => match[1] ?? '');
  let at = 0;

  /** The next token, which has to be one that `fits`. */
  function take(what: string, fits: (token: string) => boolean): string {
    const token = tokens[at];
    if (token === undefined) throw invalid(`ends where ${what} is expected`);
    if (!fits(token)) throw invalid(`has "${token}" where ${what} is expected`);
    at += 1;
    return token;
  }

  function takeValue(): Value {
    const token = take('a value', (one) => isWord(one) || isString(one));
    if (!isString(token)) return { text: token, isPattern: true };
    try {
      return { text: JSON.parse(token) as string, isPattern: false };
    } catch {
      throw invalid(`has ${token}, which is no JSON string`);
    }
  }

  function takeList(): Value[] {
    take('(', (token) => token === '(');
    const values = [takeValue()];
    while (take(', or )', (token) => token === ',' || token === ')') === ',') values.push(takeValue());
    return values;
  }

  function takeTerm(): Term {
    const field = fieldOf(take('a field', isWord));
    const operators = ['=', '!=', 'in', 'not'];
    const operator = take('=, !=, in or not in', (token) => operators.includes(token));
    if (operator === '=' || operator === '!=')
      return known({ field, isNegated: operator === '!=', values: [takeValue()] });
    if (operator === 'not') take('in', (token) => token === 'in');
    return known({ field, isNegated: operator === 'not', values: takeList() });
  }

  const terms = [takeTerm()];
  while (at < tokens.length) {
    take(', and another term', (token) => token === ',');
    terms.push(takeTerm());
  }
  return terms;
}

function isWord(token: string): boolean {
  return /^[^\s,()=!"]+$/.test(token);
}

function isString(token: string): boolean {
  return token.length > 1 && token.startsWith('"');
}

function fieldOf(token: string): Field {
  if (Object.hasOwn(fields, token)) return token as Field;
  throw invalid(`has no field "${token}"; there are ${Object.keys(fields).join(', ')}`);
}

/** A value that no server can have is a slip of the pen. */
function known(term: Term): Term {
  const choices = fields[term.field];
  const wrong = choices && term.values.find((value) => !choices.some((choice) => fits(value, choice)));
  if (wrong) throw invalid(`has ${term.field} "${wrong.text}"; there are ${choices.join(', ')}`);
  return term;
}

/** True when all terms hold. */
export function isSelected(terms: readonly Term[], server: Selectable): boolean {
  return terms.every(({ field, isNegated, values }) => {
    const own = server[field];
    const all = typeof own === 'string' ? [own] : own;
    return all.some((one) => values.some((value) => fits(value, one))) !== isNegated;
  });
}

function fits({ text, isPattern }: Value, own: string): boolean {
  return isPattern ? fitsGlob(text, own) : text === own;
}

/** Without backtracking over more than the last `*`: at most the product of both lengths. */
function fitsGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let starred = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p;
      starred = t;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      starred += 1;
      t = starred;
      p = star + 1;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
