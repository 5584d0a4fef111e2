/**
 * Changes one property in a JSON file of someone else and nothing more: comments, order, indentation and
 * line ends stay as they are.
 */

import { stripJsonComments } from '../../config/jsonc.ts';
import { AppError } from '../../kernel/errors.ts';

interface Member {
  readonly key: string;
  /** Offset of the key's first quote. */
  readonly start: number;
  readonly value: Node;
}

interface Node {
  readonly start: number;
  /** Offset after its last character. */
  readonly end: number;
  /** Of an object. */
  readonly members?: readonly Member[];
}

const literalPattern = /"(?:[^"\\]|\\.)*"|[^\s,:{}[\]"]+/y;

/** Offsets of all values; the text must be valid JSON by now. */
function scan(text: string): Node {
  let at = 0;
  const skip = (): void => {
    while (/\s/.test(text[at] ?? '')) at += 1;
  };
  const literal = (): string => {
    literalPattern.lastIndex = at;
    const found = literalPattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  };
  const list = (close: string, item: () => void): void => {
    at += 1;
    for (skip(); at < text.length && text[at] !== close; skip()) {
      item();
      skip();
      if (text[at] === ',') at += 1;
    }
    at += 1;
  };
  const value = (): Node => {
    skip();
    const start = at;
    if (text[at] === '{') {
      const members: Member[] = [];
      list('}', () => {
        const keyStart = at;
        const key = JSON.parse(literal()) as string;
        skip();
        at += 1;
        members.push({ key, start: keyStart, value: value() });
      });
      return { start, end: at, members };
    }
    if (text[at] === '[') list(']', value);
    else literal();
    return { start, end: at };
  };
  return value();
}

/** The file's own unit of indentation; two spaces when it shows none. */
function indentOf(text: string): string {
  return /^[ \t]+(?=\S)/m.exec(text)?.[0] ?? '  ';
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function formatted(value: unknown, text: string, depth: number): string {
  const unit = indentOf(text);
  return JSON.stringify(value, null, unit).replaceAll('\n', eolOf(text) + unit.repeat(depth));
}

/** Parses and refuses what cannot be edited safely. */
function parse(text: string, file: string): Node {
  const bare = stripJsonComments(text.replace(/^\uFEFF/, ' '));
  try {
    JSON.parse(bare);
  } catch {
    throw new AppError('CONFIG_INVALID', {
      file,
      problem: 'is not valid JSON; repair it first, it was left untouched',
    });
  }
  const root = scan(bare);
  if (root.members) return root;
  throw new AppError('CONFIG_INVALID', {
    file,
    problem: 'does not hold a JSON object; it was left untouched',
  });
}

function last(node: Node, key: string): Member | undefined {
  return node.members?.findLast((member) => member.key === key);
}

/** What belongs to a value on its line: a comma, and a comment behind it. */
const lineTailPattern = /^(\s*,)?([ \t]*(?:\/\/[^\r\n]*|\/\*(?:[^*\r\n]|\*(?!\/))*\*\/))?/;

function lineTail(text: string, end: number): { comma: string; comment: string } {
  const [, comma = '', comment = ''] = lineTailPattern.exec(text.slice(end)) ?? [];
  return { comma, comment };
}

/** Text with a new member after the last one of an object; a trailing comma then trails the new one. */
function insert(text: string, object: Node, key: string, value: unknown, depth: number): string {
  const unit = indentOf(text);
  const eol = eolOf(text);
  const member = `${eol}${unit.repeat(depth)}${JSON.stringify(key)}: ${formatted(value, text, depth)}`;
  const before = object.members?.at(-1);
  if (before) {
    const { comma, comment } = lineTail(text, before.value.end);
    const rest = text.slice(before.value.end + comma.length + comment.length);
    return `${text.slice(0, before.value.end)},${comment}${member}${comma === '' ? '' : ','}${rest}`;
  }
  const inside = text.slice(object.start + 1, object.end - 1);
  const rest = inside.trim() === '' ? `${eol}${unit.repeat(depth - 1)}` : inside;
  return `${text.slice(0, object.start + 1)}${member}${rest}${text.slice(object.end - 1)}`;
}

/** Sets `text[root][key]`; an empty text becomes a new file. Throws CONFIG_INVALID and changes nothing when it cannot. */
export function setMember(text: string, root: string, key: string, value: unknown, file: string): string {
  if (text.trim() === '') return `${JSON.stringify({ [root]: { [key]: value } }, null, 2)}\n`;
  const top = parse(text, file);
  const section = last(top, root);
  if (!section) return insert(text, top, root, { [key]: value }, 1);
  if (!section.value.members)
    throw new AppError('CONFIG_INVALID', {
      file,
      problem: `"${root}" is not an object; it was left untouched`,
    });
  const member = last(section.value, key);
  if (!member) return insert(text, section.value, key, value, 2);
  return text.slice(0, member.value.start) + formatted(value, text, 2) + text.slice(member.value.end);
}

/** Removes `text[root][key]` with its comma; a text without it comes back unchanged. */
export function removeMember(text: string, root: string, key: string, file: string): string {
  if (text.trim() === '') return text;
  const members = last(parse(text, file), root)?.value.members ?? [];
  const index = members.findLastIndex((member) => member.key === key);
  const member = members[index];
  if (!member) return text;
  const before = members[index - 1];
  const own = lineTail(text, member.value.end);
  if (before) {
    const { comment } = lineTail(text, before.value.end);
    const rest = text.slice(member.value.end + own.comma.length);
    return `${text.slice(0, before.value.end)}${own.comma === '' ? '' : ','}${comment}${rest}`;
  }
  const next = members[index + 1];
  if (next) return text.slice(0, member.start) + text.slice(next.start);
  return text.slice(0, member.start).trimEnd() + text.slice(member.value.end + own.comma.length);
}

/** `text[root][key]`, undefined when there is none. */
export function readMember(text: string, root: string, key: string, file: string): unknown {
  if (text.trim() === '') return undefined;
  const member = last(last(parse(text, file), root)?.value ?? { start: 0, end: 0 }, key);
  if (!member) return undefined;
  return JSON.parse(stripJsonComments(text.slice(member.value.start, member.value.end))) as unknown;
}
