/** Passwords, kept as argon2id hashes (RFC 9106) in PHC strings with the parameters that OWASP names. */

import * as crypto from 'node:crypto';
import { promisify } from 'node:util';
import { createConcurrencyLimit } from '../../kernel/concurrency-limit.ts';
import { AppError } from '../../kernel/errors.ts';

/** 19 MiB and two passes on one lane: OWASP's password storage cheat sheet. */
const parameters = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };
const pattern = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)$/;
const minLength = 12;
const maxLength = 256;

/** Each takes 19 MiB and a thread of the pool that files are read with. Throws OVERLOADED. */
const limit = createConcurrencyLimit(2, 50);

type Argon2 = (algorithm: 'argon2id', options: crypto.Argon2Parameters) => Promise<Buffer>;
const argon2 = 'argon2' in crypto ? (promisify(crypto.argon2) as Argon2) : undefined;

/** Throws NODE_TOO_OLD where this Node.js has no argon2. */
export function assertCanHash(): void {
  if (!argon2)
    throw new AppError('NODE_TOO_OLD', {
      what: 'signing in with a password',
      needed: '24.7',
      version: process.versions.node,
    });
}

/** Throws INVALID_INPUT for a password that is too short or too long, or is the login. */
export function assertGoodPassword(password: string, login: string): void {
  const { length } = Array.from(password);
  if (length < minLength || length > maxLength)
    throw new AppError('INVALID_INPUT', {
      field: 'password',
      problem: `must have ${minLength} to ${maxLength} characters`,
    });
  if (password.toLowerCase() === login)
    throw new AppError('INVALID_INPUT', { field: 'password', problem: 'must not be the login' });
}

async function derive(password: string, salt: Buffer, options: typeof parameters): Promise<Buffer> {
  assertCanHash();
  // Keyboards differ in how they compose a letter.
  const message = Buffer.from(password.normalize('NFC'));
  return await limit.run(async () => await argon2!('argon2id', { message, nonce: salt, ...options }));
}

const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

/** A PHC string; off the main thread. Throws OVERLOADED and NODE_TOO_OLD. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.randomBytes(16);
  const { memory, passes, parallelism } = parameters;
  const hash = await derive(password, salt, parameters);
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${text(salt)}$${text(hash)}`;
}

/** What a password is compared with when there is no such person: a hash of nothing that anybody can type. */
const nobody = `$argon2id$v=19$m=${parameters.memory},t=${parameters.passes},p=${parameters.parallelism}$${text(Buffer.alloc(16, 7))}$${text(Buffer.alloc(32))}`;

/** Takes the same time when there is no hash. Throws OVERLOADED and NODE_TOO_OLD. */
export async function isPassword(password: string, phc: string | null): Promise<boolean> {
  const match = pattern.exec(phc ?? nobody);
  if (!match) throw new Error('a kept password is no argon2id hash');
  const [, memory, passes, parallelism, salt = '', hash = ''] = match;
  const expected = Buffer.from(hash, 'base64');
  const options = {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: expected.length,
  };
  // Nobody types a megabyte.
  const given = password.slice(0, 2 * maxLength + 1);
  const found = await derive(given, Buffer.from(salt, 'base64'), options);
  return crypto.timingSafeEqual(found, expected) && phc !== null;
}
