/**
 * Results that go on as they came. The text of `result` is cut out of an answer, so that it need not be written
 * anew where nothing in it has to change.
 */

import { isJsonObject, type JsonObject, type RequestId } from './json-rpc.ts';

/** Hears the text that an object was parsed from. It stands for that very object, and for no copy of it. */
export type OnResultText = (result: JsonObject, text: string) => void;

/** An object and the text it was parsed from. */
export interface KnownText {
  readonly result: JsonObject;
  readonly text: string;
}

/** The text of `result` if it is the object whose text is known, and no other. */
export function textOf(result: unknown, known: KnownText | undefined): string | undefined {
  return known?.result === result ? known?.text : undefined;
}

export interface ParsedMessage {
  /** Any JSON value. */
  readonly message: unknown;
  /** The text of the message's `result`; undefined when it could not be cut out. */
  readonly resultText: string | undefined;
}

const idFirst = '{"jsonrpc":"2.0","id":';
const resultNext = ',"result":';
const resultFirst = '{"result":';
const idLast = ',"jsonrpc":"2.0","id":';
const wholeNumber = /^(?:0|[1-9]\d{0,14})$/;

/**
 * Parses a message. The two layouts that servers write, id before or after the result, without spaces, are cut
 * apart: when what is left between known text is one JSON object by itself, then the whole is what it seems,
 * with no further member. Everything else is parsed as a whole. Throws SyntaxError for what is not JSON.
 */
export function parseMessage(text: string): ParsedMessage {
  return cut(text) ?? { message: JSON.parse(text), resultText: undefined };
}

/** Index of the last character that is no white space of JSON. */
function lastOf(text: string): number {
  let at = text.length - 1;
  while (at >= 0 && ' \n\r\t'.includes(text[at]!)) at -= 1;
  return at;
}

function cut(text: string): ParsedMessage | undefined {
  const end = lastOf(text);
  if (text[end] !== '}') return undefined;
  if (text.startsWith(idFirst)) {
    const comma = text.indexOf(',', idFirst.length);
    if (!text.startsWith(resultNext, comma)) return undefined;
    return parsed(text.slice(idFirst.length, comma), text.slice(comma + resultNext.length, end));
  }
  if (!text.startsWith(resultFirst)) return undefined;
  const last = text.lastIndexOf(idLast);
  if (last < 0) return undefined;
  return parsed(text.slice(last + idLast.length, end), text.slice(resultFirst.length, last));
}

function parsed(id: string, resultText: string): ParsedMessage | undefined {
  if (!wholeNumber.test(id) || !resultText.startsWith('{')) return undefined;
  try {
    const result: unknown = JSON.parse(resultText);
    return isJsonObject(result)
      ? { message: { jsonrpc: '2.0', id: Number(id), result }, resultText }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a whole response. */
export function responseText(id: RequestId | null, resultText: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultText}}`;
}

/** The text of an object with one more member in front, which the object must not have yet. */
export function withMember(text: string, name: string, value: string): string {
  const rest = text.slice(1).trimStart();
  const comma = rest.startsWith('}') ? '' : ',';
  return `{${JSON.stringify(name)}:${JSON.stringify(value)}${comma}${rest}`;
}

/** The text of an object without its first member, when that is this one and not the only one; else undefined. */
export function withoutMember(text: string, name: string, value: string): string | undefined {
  const first = `{${JSON.stringify(name)}:${JSON.stringify(value)},`;
  return text.startsWith(first) ? `{${text.slice(first.length)}` : undefined;
}
