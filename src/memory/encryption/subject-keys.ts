/**
 * One key a subject (a person, mostly), outside of Git: destroy it, and whatever is sealed under it is unreadable
 * in every clone, bundle and backup of the repository. `subjects.jsonl` in the data folder has a line a subject;
 * with a key in the config each line is sealed under that.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { toStorageError } from '../journal/journal.ts';
import { type FileCodec, subjectKidPrefix } from './file-codec.ts';
import type { Keyring } from './keyring.ts';
import { appendPrivately, writePrivately } from './private-file.ts';
import { type SealKey, type Sealed, createSealer, isSealed, keyBytes } from './seal.ts';

const entryShape = z.object({ subject: z.string(), secret: z.base64() });
const lineShape = z.object({
  kid: z.string(),
  /** The entry in clear, or sealed. */
  open: entryShape.optional(),
  sealed: z.custom<Sealed>(isSealed).optional(),
  /** ISO 8601 time; the line then has no key any more, and no name. */
  destroyedAt: z.string().optional(),
});

type Line = z.infer<typeof lineShape>;

export interface SubjectKeys {
  /** Id of the subject's key, made durably if there is none. Throws DISK_FULL, STORAGE_FAILED. */
  ensure(subject: string): string;
  /** Undefined for a subject without a key. */
  kidOf(subject: string): string | undefined;
  /** Takes the subject's key away, durably; false when there is none. Throws as `ensure` does. */
  destroy(subject: string, atMs: number): boolean;
  /** Ids of keys that were destroyed. */
  readonly destroyedKids: ReadonlySet<string>;
}

/** File name in the data folder. */
export const subjectsFile = 'subjects.jsonl';
const wrapPlace = ['subjects'];

/**
 * Opens the keys of a data folder and hands them to the codec. The first key of the config wraps them; lines under
 * another one are wrapped anew. Throws STORAGE_FAILED for a damaged file.
 */
export function openSubjectKeys(options: {
  readonly dataDir: string;
  readonly keyring: Keyring;
  readonly codec: Pick<FileCodec, 'setSubjectKey'>;
  readonly logger: Logger;
}): SubjectKeys {
  const { dataDir, keyring, codec, logger } = options;
  const path = join(dataDir, subjectsFile);
  const bySubject = new Map<string, SealKey>();
  /** Lines that no key of the config opens: any subject may be among them. */
  const closed = new Set<string>();
  let lines = readLines(path);
  const [wrapKey] = keyring.keys;
  const wrapper = wrapKey && createSealer(wrapKey);

  function toLine(subject: string, { kid, secret }: SealKey): Line {
    const open = { subject, secret: Buffer.from(secret).toString('base64') };
    if (!wrapper) return { kid, open };
    return { kid, sealed: wrapper.seal([...wrapPlace, kid], Buffer.from(JSON.stringify(open))) };
  }

  function openLine({ kid, open, sealed }: Line): z.infer<typeof entryShape> | undefined {
    if (open || !sealed) return open;
    const key = keyring.keys.find((one) => one.kid === sealed.kid);
    const plain = key && createSealer(key).open([...wrapPlace, kid], sealed);
    if (plain) return entryShape.parse(JSON.parse(plain.toString('utf8')));
    logger.warn(
      { kid, wrappedUnder: sealed.kid },
      'the key of a subject cannot be opened without its config key',
    );
    return undefined;
  }

  function load(): void {
    let isOld = false;
    lines = lines.map((line) => {
      const entry = openLine(line);
      if (!entry) {
        if (line.sealed) closed.add(line.kid);
        return line;
      }
      const key = { kid: line.kid, secret: Buffer.from(entry.secret, 'base64') };
      bySubject.set(entry.subject, key);
      codec.setSubjectKey(key.kid, key.secret);
      if (line.sealed?.kid === wrapper?.kid) return line;
      isOld = true;
      return toLine(entry.subject, key);
    });
    if (isOld) writePrivately(path, encodeLines(lines));
  }

  /** A second key for a subject would outlive the destruction of the first. */
  function requireOpen(): void {
    if (closed.size === 0) return;
    const problem = `${closed.size} keys of subjects are sealed under a key that is not among memory.keys`;
    throw new AppError('STORAGE_FAILED', { path, problem });
  }

  load();

  return {
    kidOf: (subject) => bySubject.get(subject)?.kid,
    ensure(subject) {
      const known = bySubject.get(subject);
      if (known) return known.kid;
      requireOpen();
      const kid = subjectKidPrefix + randomBytes(16).toString('hex');
      const key = { kid, secret: randomBytes(keyBytes) };
      const line = toLine(subject, key);
      store(path, () => appendPrivately(path, encodeLines([line])));
      lines.push(line);
      bySubject.set(subject, key);
      codec.setSubjectKey(kid, key.secret);
      return kid;
    },
    destroy(subject, atMs) {
      const key = bySubject.get(subject);
      if (!key) {
        requireOpen();
        return false;
      }
      const destroyed = { kid: key.kid, destroyedAt: new Date(atMs).toISOString() };
      const left = lines.map((line) => (line.kid === key.kid ? destroyed : line));
      store(path, () => writePrivately(path, encodeLines(left)));
      lines = left;
      bySubject.delete(subject);
      codec.setSubjectKey(key.kid, null);
      return true;
    },
    get destroyedKids() {
      return new Set(lines.filter((line) => line.destroyedAt !== undefined).map((line) => line.kid));
    },
  };
}

function encodeLines(lines: readonly Line[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** A torn last line is what a crash leaves: nothing was sealed under it yet. */
function readLines(path: string): Line[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  const rows = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean);
  try {
    const lines = rows.map((row) => lineShape.parse(JSON.parse(row)));
    if (!text.endsWith('\n') && text !== '') writePrivately(path, encodeLines(lines));
    return lines;
  } catch (error) {
    throw new AppError(
      'STORAGE_FAILED',
      { path, problem: 'is damaged; bring it back from a backup' },
      { cause: error },
    );
  }
}

function store(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw toStorageError(error, path);
  }
}
