/** The keys of an open memory: the codec of the coordinator's thread, and what other threads are told. */

import type { Logger } from '../../kernel/log.ts';
import { type FileCodec, createFileCodec } from './file-codec.ts';
import type { Keyring } from './keyring.ts';
import type { SealKey } from './seal.ts';
import { type SubjectKeys, openSubjectKeys } from './subject-keys.ts';

/** A thread that opens sealed files hears of each new and each destroyed key of a subject. */
export interface SubjectKeyChange {
  readonly kid: string;
  /** 32 bytes; null for a key that was destroyed. */
  readonly secret: Uint8Array | null;
}

export interface MemoryKeys {
  readonly codec: FileCodec;
  readonly subjects: SubjectKeys;
  /** All keys as they are now, for a thread that starts. */
  current(): Keyring;
  /** Hears of each change of subjects' keys. */
  onChange(listener: (change: SubjectKeyChange) => void): void;
}

/** Opens the subjects' keys of a data folder beside those of the config. Throws STORAGE_FAILED for a damaged file. */
export function openMemoryKeys(options: {
  readonly dataDir: string;
  readonly keyring: Keyring;
  readonly logger: Logger;
}): MemoryKeys {
  const { dataDir, keyring, logger } = options;
  const codec = createFileCodec(keyring);
  const known = new Map<string, SealKey>();
  const listeners: ((change: SubjectKeyChange) => void)[] = [];

  function setSubjectKey(kid: string, secret: Uint8Array | null): void {
    codec.setSubjectKey(kid, secret);
    if (secret === null) known.delete(kid);
    else known.set(kid, { kid, secret });
    for (const listener of listeners) listener({ kid, secret });
  }

  const subjects = openSubjectKeys({ dataDir, keyring, codec: { setSubjectKey }, logger });
  return {
    codec,
    subjects,
    current: () => ({ ...keyring, subjects: [...known.values()] }),
    onChange(listener) {
      listeners.push(listener);
    },
  };
}
