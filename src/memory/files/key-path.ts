/**
 * Keys to paths in the repository and back. The mapping is injective, gives names that every file
 * system takes (Windows device names, case-insensitive disks, `.git` look-alikes), and is readable for
 * what people mostly use.
 */

import { createHash } from 'node:crypto';
import { AppError } from '../../kernel/errors.ts';
import { digitsOf, removeFanOut } from './fan-out.ts';

/** What a file holds: `json` is an envelope around any JSON value, `text` is Markdown with front matter. */
export type FileKind = 'json' | 'text';

const endings: Readonly<Record<FileKind, string>> = { json: '.json', text: '.md' };
const maxSegmentBytes = 120;
const prefixBytes = 80;
const maxSegments = 32;
const deviceName = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/;
const hashedSegment = /~[0-9a-f]{32}$/;

/** The key in the form that is stored and compared (NFC). Throws INVALID_INPUT for a key without a path. */
export function normalizeKey(key: string): string {
  const problem = problemOf(key);
  if (problem) throw new AppError('INVALID_INPUT', { field: 'key', problem });
  return key.normalize('NFC');
}

function problemOf(key: string): string | undefined {
  if (!key.isWellFormed()) return 'contains half of a surrogate pair';
  if (key.includes('\0')) return 'contains a NUL character';
  const segments = key.split('/');
  if (segments.length > maxSegments) return `has more than ${maxSegments} segments`;
  if (segments.includes('')) return 'starts or ends with a slash, or has two in a row';
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'has a segment . or ..';
  return undefined;
}

/** One character as its UTF-8 bytes, each `%xx` in lower case. */
function escapeCharacter(character: string): string {
  let out = '';
  for (const byte of Buffer.from(character, 'utf8')) out += `%${byte.toString(16).padStart(2, '0')}`;
  return out;
}

/** What most segments are made of; nothing of it is escaped but names of devices. */
const simpleSegment = /^[a-z0-9_-]+$/;

/** A whole segment without its length limit; `inner` segments are folders and must not look like files. */
function escapeSegment(segment: string, inner: boolean): string {
  if (simpleSegment.test(segment) && !deviceName.test(segment)) return segment;
  let out = segment.replaceAll(/[^a-z0-9_.-]/gu, escapeCharacter);
  if (out.startsWith('.')) out = `%2e${out.slice(1)}`;
  if (out.endsWith('.')) out = `${out.slice(0, -1)}%2e`;
  if (inner && /\.(?:md|json)$/.test(out)) out = out.replace(/\.(md|json)$/, '%2e$1');
  if (deviceName.test(out)) out = escapeCharacter(out[0] ?? '') + out.slice(1);
  return out;
}

/** A segment of a normalized key as a file or folder name; over 120 bytes it is a prefix, `~` and a hash. */
export function encodeSegment(segment: string, inner: boolean): string {
  const escaped = escapeSegment(segment, inner);
  if (escaped.length <= maxSegmentBytes) return escaped;
  const prefix = escaped.slice(0, prefixBytes).replace(/%[0-9a-f]?$/, '');
  return `${prefix}~${createHash('sha256').update(segment, 'utf8').digest('hex').slice(0, 32)}`;
}

/** The folder of a scope: `shared`, `coordinator`, `categories/<c>` or `servers/<id>`. */
export function scopeFolder(scope: string): string {
  const [area, id] = split(scope, ':');
  if (id === undefined) return area;
  return `${area === 'category' ? 'categories' : 'servers'}/${encodeSegment(id, true)}`;
}

/** The path of a normalized key in the repository, without its ending. */
export function keyStem(scope: string, key: string): string {
  const segments = key.split('/');
  const names = segments.map((segment, i) => encodeSegment(segment, i < segments.length - 1));
  return `${scopeFolder(scope)}/${names.join('/')}`;
}

/** The path of a normalized key's file in the repository, in a folder that is not fanned out. */
export function keyPath(scope: string, key: string, kind: FileKind): string {
  return keyStem(scope, key) + endings[kind];
}

/** What kind of file a path names, by its ending. */
export function kindOfPath(path: string): FileKind {
  return path.endsWith('.json') ? 'json' : 'text';
}

/** Which memory a file of the repository is. */
export interface FileIdentity {
  readonly scope: string;
  readonly key: string;
  readonly kind: FileKind;
  /** False for a file that a person named otherwise than we would; the file at our own path wins over it. */
  readonly canonical: boolean;
}

/** True when the path has a shortened segment, so that only the key stored in the file tells the key. */
export function needsStoredKey(path: string): boolean {
  return path
    .replace(/\.(?:md|json)$/, '')
    .split('/')
    .some((segment) => hashedSegment.test(segment));
}

/** The memory that a path stands for, or undefined for a file that is none (a README, a link, an odd name). */
export function identifyFile(path: string, storedKey?: string): FileIdentity | undefined {
  if (/\p{Cc}/u.test(path)) return undefined;
  const flat = removeFanOut(path);
  const place = splitScope(flat.path);
  const ending = place && /\.(?:md|json)$/.exec(place.rest)?.[0];
  if (!place || !ending) return undefined;
  const { scope } = place;
  const kind: FileKind = ending === '.json' ? 'json' : 'text';
  const stem = flat.path.slice(0, -ending.length);
  const isOwn = (key: string) =>
    keyStem(scope, key) === stem && flat.digits === digitsOf(key, flat.digits.length);
  if (storedKey !== undefined && problemOf(storedKey) === undefined) {
    const key = storedKey.normalize('NFC');
    if (isOwn(key)) return { scope, key, kind, canonical: true };
  }
  const raw = place.rest.slice(0, -ending.length).split('/').map(decodeSegment).join('/');
  if (raw === '' || problemOf(raw) !== undefined || raw.length > 1024) return undefined;
  const key = raw.normalize('NFC');
  return { scope, key, kind, canonical: isOwn(key) };
}

/** Both files that a key may have beside a path of its own: one for text, one for JSON. */
export function siblingPaths(path: string): string[] {
  const stem = stemOf(path);
  return [stem + endings.json, stem + endings.text];
}

/** The path with the ending of another kind. */
export function withKind(path: string, kind: FileKind): string {
  return stemOf(path) + endings[kind];
}

function stemOf(path: string): string {
  const ending = Object.values(endings).find((one) => path.endsWith(one));
  return ending === undefined ? path : path.slice(0, -ending.length);
}

/** The folder of a path, without fan-out: what is counted to decide on it. */
export function flatFolder(path: string): string {
  const flat = removeFanOut(path).path;
  return flat.slice(0, flat.lastIndexOf('/'));
}

function splitScope(path: string): { scope: string; rest: string } | undefined {
  const [area, afterArea = ''] = split(path, '/');
  if (area === 'shared' || area === 'coordinator') return { scope: area, rest: afterArea };
  if (area !== 'categories' && area !== 'servers') return undefined;
  const [folder, rest = ''] = split(afterArea, '/');
  const id = decodeSegment(folder);
  const pattern = area === 'categories' ? /^[a-z0-9][a-z0-9-]{0,63}$/ : /^[a-z0-9][a-z0-9._-]{0,95}$/;
  if (!pattern.test(id) || encodeSegment(id, true) !== folder) return undefined;
  return { scope: `${area === 'categories' ? 'category' : 'server'}:${id}`, rest };
}

/** Undoes `%xx`; a name that is not valid percent-encoded UTF-8 stands for itself. */
function decodeSegment(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Splits at the first separator only. */
function split(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
