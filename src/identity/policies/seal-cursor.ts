/** Cursors that hold the name of a memory, made unreadable for those who may not see all names; good until a restart. */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AppError } from '../../kernel/errors.ts';

export interface CursorSeal {
  /** Opens again for the same caller only. */
  seal(cursor: string, caller: string): string;
  /** Throws INVALID_INPUT. */
  open(sealed: string, caller: string): string;
}

const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

export function createCursorSeal(): CursorSeal {
  const key = randomBytes(32);
  return {
    seal(cursor, caller) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, key, iv).setAAD(Buffer.from(caller));
      const body = Buffer.concat([cipher.update(cursor, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(sealed, caller) {
      const bytes = Buffer.from(sealed, 'base64url');
      try {
        const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), {
          authTagLength: tagBytes,
        })
          .setAAD(Buffer.from(caller))
          .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
        const body = decipher.update(bytes.subarray(ivBytes + tagBytes));
        return Buffer.concat([body, decipher.final()]).toString('utf8');
      } catch (error) {
        const problem = 'is not one of ours, or from before a restart; begin anew without it';
        throw new AppError('INVALID_INPUT', { field: 'cursor', problem }, { cause: error });
      }
    },
  };
}
