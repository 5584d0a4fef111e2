/** One commit without what is to be forgotten: its trailers, its subject, and a signature that would no longer hold. */

import { committerEmail, decodeTrailers } from '../git/commit-message.ts';
import type { IsForgotten } from './select-paths.ts';

/** A commit or an annotated tag, taken apart without touching its bytes (Latin-1 stands for bytes). */
export interface RawObject {
  /** Header lines in their order, `name value`, continuations included. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** After the empty line. */
  readonly message: string;
}

/** Takes the bytes of a commit or tag apart. */
export function parseRaw(content: Buffer): RawObject {
  const text = content.toString('latin1');
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text.replace(/\n$/, '') : text.slice(0, end);
  const lines = head.replaceAll('\n ', '\0').split('\n');
  const headers = lines.map((line) => {
    const space = line.indexOf(' ');
    return [line.slice(0, space), line.slice(space + 1).replaceAll('\0', '\n ')] as const;
  });
  return { headers, message: end < 0 ? '' : text.slice(end + 2) };
}

/** The bytes again. */
export function encodeRaw({ headers, message }: RawObject): Buffer {
  const head = headers.map(([name, value]) => `${name} ${value}\n`).join('');
  return Buffer.from(`${head}\n${message}`, 'latin1');
}

/** Values of a header, such as all parents. */
export function headersOf(raw: RawObject, name: string): string[] {
  return raw.headers.filter(([one]) => one === name).map(([, value]) => value);
}

const signatures = new Set(['gpgsig', 'gpgsig-sha256', 'mergetag']);

/** The commit with another tree and other parents; signatures go, as they would be wrong. */
export function withTree(
  raw: RawObject,
  tree: string,
  parents: readonly string[],
  message: string,
): RawObject {
  const rest = raw.headers.filter(([name]) => name !== 'tree' && name !== 'parent' && !signatures.has(name));
  const links = parents.map((parent) => ['parent', parent] as const);
  return { headers: [['tree', tree], ...links, ...rest], message };
}

/** The message of a commit of ours without the trailers of forgotten memories; others' messages stay as they are. */
export function withoutForgotten(raw: RawObject, isForgotten: IsForgotten): string {
  const isOurs = headersOf(raw, 'committer').some((value) => value.includes(`<${committerEmail}>`));
  if (!isOurs) return raw.message;
  const [subject = '', ...lines] = raw.message.split('\n');
  const kept: string[] = [];
  let isDropped = false;
  let dropped = 0;
  for (const [at, line] of lines.entries()) {
    if (line.startsWith('Memory-Op: ')) {
      isDropped = isForgottenSet(lines.slice(at), isForgotten);
      dropped += Number(isDropped);
    } else if (!line.startsWith('Memory-')) isDropped = false;
    if (!isDropped) kept.push(line);
  }
  if (dropped === 0) return raw.message;
  const left = kept.filter((line) => line.startsWith('Memory-Op: ')).length;
  const newSubject = left === 0 ? 'forgotten' : subject.replace(/^\d+ writes$/, `${left} writes`);
  return [newSubject, ...kept].join('\n');
}

/** Whether the set of trailers that begins here is about a forgotten memory. */
function isForgottenSet(lines: readonly string[], isForgotten: IsForgotten): boolean {
  const next = lines.findIndex((line, i) => i > 0 && !/^Memory-(?!Op: )/.test(line));
  const own = lines.slice(0, next < 0 ? lines.length : next).join('\n');
  const [set] = decodeTrailers(Buffer.from(own, 'latin1').toString('utf8'));
  return set !== undefined && isForgotten(set.scope, set.key);
}
