/**
 * The bytes of a memory's file, in clear or sealed. A sealed file is a JSON file at the key's usual path:
 * `{expiresAt?, key?, sealed}`. Expiry is in clear, so that it holds without the key; the key only where the
 * path is too short to tell it.
 */

import { AppError } from '../../kernel/errors.ts';
import { canonicalJson } from '../files/canonical-json.ts';
import { removeFanOut } from '../files/fan-out.ts';
import { type FileKind, keyPath, kindOfPath, needsStoredKey } from '../files/key-path.ts';
import {
  type MemoryFile,
  decodeMemoryFile,
  encodeJsonEnvelope,
  encodeMemoryFile,
  kindOf,
  requireFits,
} from '../files/memory-file.ts';
import { type Keyring, activeKey, emptyKeyring } from './keyring.ts';
import { type Sealed, type Sealer, createSealer, isSealed } from './seal.ts';

/** A file with what is kept beside its content. */
export interface SealableFile extends MemoryFile {
  /** Id of the subject's key that the file is sealed under; absent for one under the key of its scope. */
  readonly subjectKid?: string;
}

/** A file as far as it can be read here. */
export interface InspectedFile {
  /** What it holds; absent when it is sealed and cannot be opened. */
  readonly file?: SealableFile;
  /** Id of the key that it is sealed under; absent for a file in clear. */
  readonly kid?: string;
  /** In clear also for a sealed file, where its path does not tell it. */
  readonly key?: string;
  /** Milliseconds since the Unix epoch; known also for a sealed file. */
  readonly expiresMs?: number;
}

export interface FileCodec {
  /** Throws PAYLOAD_TOO_LARGE over 8 MiB, MEMORY_SEALED for a subject whose key is gone. */
  encode(scope: string, file: SealableFile & { readonly key: string }): { bytes: Buffer; kind: FileKind };
  /** Throws MEMORY_SEALED for a sealed file whose key is missing or which was changed. */
  decode(scope: string, path: string, bytes: Uint8Array): SealableFile;
  /** The same without an error. */
  inspect(scope: string, path: string, bytes: Uint8Array): InspectedFile;
  /** Id of the key that new values of the scope get; undefined for a scope in clear. */
  activeKid(scope: string): string | undefined;
  /** Takes the key of a subject in, or (null) lets go of it. */
  setSubjectKey(kid: string, secret: Uint8Array | null): void;
}

/** Start of the ids of subjects' keys: the reader of a file tells by it whose key is missing. */
export const subjectKidPrefix = 'subject-';
/** The field comes within the first lines of a file of ours; a longer search would cost on every read. */
const sealedMark = '"sealed"';
const maxMarkOffset = 16 * 1024;
const sealedFields = new Set(['expiresAt', 'key', 'sealed']);

interface Envelope {
  readonly expiresAt?: string;
  readonly key?: string;
  readonly sealed: Sealed;
}

/** A codec with these keys. */
export function createFileCodec(keyring: Keyring): FileCodec {
  const sealers = new Map<string, Sealer>();
  for (const key of [...keyring.keys, ...keyring.subjects]) sealers.set(key.kid, createSealer(key));

  function sealerFor(scope: string, file: SealableFile): Sealer | undefined {
    if (file.subjectKid !== undefined) {
      const sealer = sealers.get(file.subjectKid);
      if (!sealer) throw sealedError(scope, file.key, file.subjectKid);
      return sealer;
    }
    const kid = activeKey(keyring, scope)?.kid;
    return kid === undefined ? undefined : sealers.get(kid);
  }

  function openEnvelope(scope: string, path: string, envelope: Envelope): SealableFile | undefined {
    const { sealed } = envelope;
    const plain = sealers.get(sealed.kid)?.open(placeOf(scope, path, envelope), sealed);
    if (!plain) return undefined;
    const file = decodeMemoryFile('json', plain);
    return sealed.kid.startsWith(subjectKidPrefix) ? { ...file, subjectKid: sealed.kid } : file;
  }

  function inspect(scope: string, path: string, bytes: Uint8Array): InspectedFile {
    const envelope = readEnvelope(path, bytes);
    if (!envelope) {
      const file = decodeMemoryFile(kindOfPath(path), bytes);
      const { key, expiresMs } = file;
      return { file, ...(key !== undefined && { key }), ...(expiresMs !== undefined && { expiresMs }) };
    }
    const file = openEnvelope(scope, path, envelope);
    const { key, expiresAt, sealed } = envelope;
    const expiresMs = expiresAt === undefined ? Number.NaN : Date.parse(expiresAt);
    return {
      ...(file && { file }),
      kid: sealed.kid,
      ...(key !== undefined && { key }),
      ...(!Number.isNaN(expiresMs) && { expiresMs }),
    };
  }

  return {
    encode(scope, file) {
      const sealer = sealerFor(scope, file);
      if (!sealer) return { bytes: encodeMemoryFile(file), kind: kindOf(file.value) };
      const path = keyPath(scope, file.key, 'json');
      const head = {
        ...(file.expiresMs !== undefined && { expiresAt: new Date(file.expiresMs).toISOString() }),
        ...(needsStoredKey(path) && { key: file.key }),
      };
      const sealed = sealer.seal(placeOf(scope, path, head), encodeJsonEnvelope(file));
      return { bytes: requireFits(Buffer.from(`${canonicalJson({ ...head, sealed })}\n`)), kind: 'json' };
    },
    decode(scope, path, bytes) {
      const { file, kid, key } = inspect(scope, path, bytes);
      if (file) return file;
      throw sealedError(scope, key ?? path, kid ?? '', sealers.has(kid ?? ''));
    },
    inspect,
    activeKid: (scope) => activeKey(keyring, scope)?.kid,
    setSubjectKey(kid, secret) {
      if (secret === null) sealers.delete(kid);
      else sealers.set(kid, createSealer({ kid, secret }));
    },
  };
}

/** Reads what is in clear, and of sealed files what shows without a key. */
export const keylessCodec = createFileCodec(emptyKeyring);

/** Id of the subject's key that a file is sealed under; undefined for all other files. */
export function subjectKidOf(path: string, bytes: Uint8Array): string | undefined {
  const kid = readEnvelope(path, bytes)?.sealed.kid;
  return kid?.startsWith(subjectKidPrefix) === true ? kid : undefined;
}

/** The key that a file itself tells, sealed or not, without any secret. */
export function storedKeyOf(path: string, bytes: Uint8Array): string | undefined {
  const envelope = readEnvelope(path, bytes);
  return envelope ? envelope.key : decodeMemoryFile(kindOfPath(path), bytes).key;
}

/** What a sealed content is bound to; a folder that is fanned out moves the file without a new one. */
function placeOf(scope: string, path: string, { expiresAt, key }: Omit<Envelope, 'sealed'>) {
  return [scope, removeFanOut(path).path, expiresAt ?? null, key ?? null];
}

/** The envelope of a sealed file; undefined for a file in clear. */
function readEnvelope(path: string, bytes: Uint8Array): Envelope | undefined {
  if (kindOfPath(path) !== 'json') return undefined;
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maxMarkOffset));
  if (!start.includes(sealedMark)) return undefined;
  let data: unknown;
  try {
    data = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  if (Object.keys(data).some((field) => !sealedFields.has(field))) return undefined;
  const { expiresAt, key, sealed } = data as Record<string, unknown>;
  const isText = [expiresAt, key].every((part) => part === undefined || typeof part === 'string');
  return isText && isSealed(sealed) ? (data as Envelope) : undefined;
}

function sealedError(scope: string, key: string | undefined, kid: string, isChanged = false): AppError {
  const missing = kid.startsWith(subjectKidPrefix)
    ? `the key ${kid} of its subject is not here or was destroyed`
    : `the key ${kid} is not among memory.keys`;
  const problem = isChanged
    ? `it was changed, moved or made by another version, key ${kid} does not open it`
    : missing;
  return new AppError('MEMORY_SEALED', { scope, key: key ?? '?', kid, problem });
}
