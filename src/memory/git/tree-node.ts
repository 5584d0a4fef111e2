/**
 * One folder as the bytes of its tree object, changed in place: writing it again costs a hash, not a walk over
 * its entries. What is alike at both ends since it was last written makes the delta.
 */

import { hash } from 'node:crypto';
import type { DeltaBase } from './pack-builder.ts';

const folderMode = '40000';
/** Mode of a plain file. */
export const fileMode = '100644';
const idBytes = 20;
/** Before the content is room for `tree <size>\0`, so that the id is one hash over one buffer. */
const headRoom = 32;

/** Names are bytes as Latin-1 characters, so that string order is byte order; a folder's ends in a slash, as Git sorts. */
export class TreeNode {
  readonly #names: string[];
  /** Where each entry begins, counted from the content's begin. */
  readonly #offsets: number[];
  #buffer: Buffer;
  #length: number;
  #written: { readonly id: Buffer; readonly size: number } | undefined;
  /** Bytes at both ends that are as they were written. */
  #head = 0;
  #tail = 0;
  readonly children = new Map<string, TreeNode>();
  /** Children to write before this one. */
  readonly dirtyChildren = new Set<string>();

  /** A folder with the content of a tree object; an empty one without. */
  constructor(content?: { readonly id: Buffer; readonly bytes: Buffer }) {
    this.#length = content?.bytes.length ?? 0;
    this.#buffer = Buffer.allocUnsafeSlow(headRoom + Math.max(256, Math.ceil(this.#length * 1.25)));
    content?.bytes.copy(this.#buffer, headRoom);
    const { names, offsets } = parseTree(content?.bytes ?? Buffer.alloc(0));
    this.#names = names;
    this.#offsets = offsets;
    this.#written = content && { id: content.id, size: this.#length };
    this.#head = this.#length;
    this.#tail = this.#length;
  }

  get size(): number {
    return this.#names.length;
  }

  /** Id of an entry; undefined when there is none. */
  idOf(name: string): Buffer | undefined {
    const at = this.#find(name);
    if (this.#names[at] !== name) return undefined;
    const end = headRoom + this.#endOf(at);
    return Buffer.from(this.#buffer.subarray(end - idBytes, end));
  }

  has(name: string): boolean {
    return this.#names[this.#find(name)] === name;
  }

  /** Puts an entry, or gives one that is there another id; `mode` is that of a file, six digits. */
  put(name: string, id: Buffer, mode = fileMode): void {
    const isFolder = name.endsWith('/');
    const bare = isFolder ? name.slice(0, -1) : name;
    const at = this.#find(name);
    const head = `${isFolder ? folderMode : mode} ${bare}\0`;
    const start = this.#offsets[at] ?? this.#length;
    if (this.#names[at] !== name) {
      this.#splice(start, 0, head.length + idBytes);
      this.#names.splice(at, 0, name);
      this.#offsets.splice(at, 0, start);
      this.#shift(at + 1, head.length + idBytes);
    } else if (this.#endOf(at) - start === head.length + idBytes) this.#touch(start, head.length + idBytes);
    else throw new RangeError('entries of one name have one length');
    this.#buffer.write(head, headRoom + start, 'latin1');
    this.#buffer.set(id, headRoom + start + head.length);
  }

  /** Takes an entry away; false when there is none. */
  remove(name: string): boolean {
    const at = this.#find(name);
    if (this.#names[at] !== name) return false;
    const start = this.#offsets[at] ?? 0;
    const length = this.#endOf(at) - start;
    this.#splice(start, length, 0);
    this.#names.splice(at, 1);
    this.#offsets.splice(at, 1);
    this.#shift(at, -length);
    this.children.delete(name);
    this.dirtyChildren.delete(name);
    return true;
  }

  /** Hands its object over and counts as written; the content is only good during the call. */
  write(add: (id: Buffer, content: Buffer, base: DeltaBase | undefined) => void): Buffer {
    const head = `tree ${this.#length}\0`;
    const start = headRoom - head.length;
    this.#buffer.write(head, start, 'latin1');
    const id = hash('sha1', this.#buffer.subarray(start, headRoom + this.#length), 'buffer');
    const content = this.#buffer.subarray(headRoom, headRoom + this.#length);
    add(id, content, this.#written && { ...this.#written, head: this.#head, tail: this.#sharedTail() });
    this.#written = { id, size: this.#length };
    this.#head = this.#length;
    this.#tail = this.#length;
    return id;
  }

  /** The two ends must not overlap, in either version. */
  #sharedTail(): number {
    return Math.max(
      0,
      Math.min(this.#tail, this.#length - this.#head, (this.#written?.size ?? 0) - this.#head),
    );
  }

  #endOf(at: number): number {
    return this.#offsets[at + 1] ?? this.#length;
  }

  #shift(from: number, by: number): void {
    for (let at = from; at < this.#offsets.length; at++) this.#offsets[at] = (this.#offsets[at] ?? 0) + by;
  }

  /** Makes `added` bytes out of `removed` ones, contents to be filled in. */
  #splice(start: number, removed: number, added: number): void {
    const length = this.#length + added - removed;
    if (headRoom + length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(headRoom + length * 2);
      this.#buffer.copy(larger, 0, 0, headRoom + this.#length);
      this.#buffer = larger;
    }
    this.#buffer.copyWithin(headRoom + start + added, headRoom + start + removed, headRoom + this.#length);
    this.#length = length;
    this.#touch(start, added);
  }

  #touch(start: number, length: number): void {
    this.#head = Math.min(this.#head, start);
    this.#tail = Math.min(this.#tail, this.#length - start - length);
  }

  /** Where an entry of that name is or belongs. */
  #find(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#names[middle] ?? '') < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function parseTree(content: Buffer): { names: string[]; offsets: number[] } {
  const names: string[] = [];
  const offsets: number[] = [];
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(32, at);
    const end = content.indexOf(0, space);
    const isFolder = content.toString('latin1', at, space) === folderMode;
    names.push(content.toString('latin1', space + 1, end) + (isFolder ? '/' : ''));
    offsets.push(at);
    at = end + 1 + idBytes;
  }
  return { names, offsets };
}
