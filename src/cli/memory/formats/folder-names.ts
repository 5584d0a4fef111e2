/**
 * Keys as file names that people like to read and every file system takes: Windows device names, disks that take
 * capitals for small letters or NFD for NFC, and characters that Obsidian cannot link to.
 */

import { hash } from 'node:crypto';

/** `text` is a Markdown file, `json` a JSON file. */
export type FolderFileKind = 'text' | 'json';

/** Where a memory goes. */
export interface FolderName {
  /** Path in the folder, with `/` and its ending. */
  readonly path: string;
  /** True when the path does not say the key, so that the file must. */
  readonly isChanged: boolean;
}

/** Gives each key of one export its own file. */
export interface FolderNames {
  nameOf(key: string, kind: FolderFileKind): FolderName;
}

const endings: Readonly<Record<FolderFileKind, string>> = { text: '.md', json: '.json' };
/** Windows keeps these for devices, with any ending. */
const deviceName = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)/i;
const maxSegmentBytes = 120;
const cutSegmentBytes = 90;
/** macOS takes 1,024 bytes for a whole path; the folder that people choose needs some. */
const maxPathBytes = 600;

function shortHash(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 12);
}

/** The beginning of a text that fits into so many bytes of UTF-8. */
function cutBytes(text: string, bytes: number): string {
  let length = 0;
  let out = '';
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) break;
    out += character;
  }
  return out.replace(/[. ]+$/, '');
}

/** A segment of a key as a file or folder name; `inner` ones are folders and must not look like files. */
function safeSegment(segment: string, inner: boolean): string {
  let name = segment
    .replaceAll(/[<>:"\\|?*#^[\]/\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, '_')
    .replace(/^[. ]/, '_')
    .replace(/[. ]$/, '_');
  if (name === '') name = '_';
  if (deviceName.test(name)) name = `_${name}`;
  if (inner && /\.(?:md|json)$/i.test(name)) name += '_';
  if (Buffer.byteLength(name) <= maxSegmentBytes) return name;
  return `${cutBytes(name, cutSegmentBytes)}~${shortHash(segment)}`;
}

/** Names that some file system takes for one are equal here. */
export function foldName(path: string): string {
  return path.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');
}

/** The key that a path says, `/`-separated. */
export function keyOfPath(path: string): string {
  return path.replace(/\.(?:md|json)$/i, '').normalize('NFC');
}

/** Names of one export: two keys never share a file, on no file system. */
export function createFolderNames(): FolderNames {
  const files = new Set<string>();
  /** Folders by their folded path, in the spelling that came first. */
  const folders = new Map<string, string>();

  function folderOf(segments: readonly string[]): string {
    let path = '';
    for (const segment of segments) {
      const wanted = `${path}${safeSegment(segment, true)}/`;
      const folded = foldName(wanted);
      path = folders.get(folded) ?? wanted;
      folders.set(folded, path);
    }
    return path;
  }

  function stemOf(key: string): string {
    const segments = key.split('/');
    const last = safeSegment(segments.pop() ?? '', false);
    const stem = folderOf(segments) + last;
    if (Buffer.byteLength(stem) <= maxPathBytes) return stem;
    return `${folderOf(['_long'])}${cutBytes(last, cutSegmentBytes)}~${shortHash(key)}`;
  }

  return {
    nameOf(key, kind) {
      const stem = stemOf(key);
      const cut = stem.lastIndexOf('/') + 1;
      let path = stem + endings[kind];
      for (let round = 0; files.has(foldName(path)); round++) {
        const last = cutBytes(stem.slice(cut), cutSegmentBytes);
        path = `${stem.slice(0, cut)}${last}~${shortHash(`${round}${key}`)}${endings[kind]}`;
      }
      files.add(foldName(path));
      return { path, isChanged: keyOfPath(path) !== key };
    },
  };
}
