import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import { silentLogger } from '../../kernel/log.ts';
import { createFileCodec } from './file-codec.ts';
import { type Keyring, emptyKeyring, openKeyring } from './keyring.ts';
import { openSubjectKeys, subjectsFile } from './subject-keys.ts';

const failing = (code: string) => expect.objectContaining({ code });
const open = (dataDir: string, keyring: Keyring) => {
  const codec = createFileCodec(keyring);
  return { codec, subjects: openSubjectKeys({ dataDir, keyring, codec, logger: silentLogger }) };
};
const place = ['shared', 'shared/k.json'] as const;
const fileOf = (subjectKid: string) => ({ key: 'k', value: 'v', tags: [], subjectKid });

test('a key is made once, survives, and is gone for good when destroyed', async () => {
  await using folder = await createTempFolder();
  const first = open(folder.path, emptyKeyring);
  const kid = first.subjects.ensure('ada@example.org');
  expect(first.subjects.ensure('ada@example.org')).toBe(kid);
  const other = first.subjects.ensure('bob');
  const { bytes } = first.codec.encode('shared', fileOf(kid));
  const path = join(folder.path, subjectsFile);
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  appendFileSync(path, '{"kid":"torn');
  const second = open(folder.path, emptyKeyring);
  expect(second.codec.decode(...place, bytes).value).toBe('v');
  expect(second.subjects.destroy('ada@example.org', 0)).toBe(true);
  expect(second.subjects.destroy('ada@example.org', 0)).toBe(false);
  expect(() => second.codec.decode(...place, bytes)).toThrowError(failing('MEMORY_SEALED'));
  const third = open(folder.path, emptyKeyring);
  expect(() => third.codec.decode(...place, bytes)).toThrowError(failing('MEMORY_SEALED'));
  expect(third.subjects.kidOf('bob')).toBe(other);
  expect(readFileSync(path, 'utf8')).not.toContain('ada');
  expect(third.subjects.ensure('ada@example.org')).not.toBe(kid);
});

test('with a config key neither names nor keys are in the file, and a new config key takes over', async () => {
  await using folder = await createTempFolder();
  const [a, b] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
  const plain = open(folder.path, emptyKeyring);
  const kid = plain.subjects.ensure('ada');
  const { bytes } = plain.codec.encode('shared', fileOf(kid));
  const text = () => readFileSync(join(folder.path, subjectsFile), 'utf8');
  open(folder.path, openKeyring(folder.path, { a }, {}));
  expect(text()).not.toMatch(/ada|secret/);
  open(folder.path, openKeyring(folder.path, { b, a }, {}));
  const rotated = open(folder.path, openKeyring(folder.path, { b }, {}));
  expect(rotated.subjects.kidOf('ada')).toBe(kid);
  expect(rotated.codec.decode(...place, bytes).value).toBe('v');
  const blind = open(folder.path, openKeyring(folder.path, { a }, {}));
  expect(blind.subjects.kidOf('ada')).toBeUndefined();
  expect(() => blind.subjects.ensure('ada')).toThrowError(failing('STORAGE_FAILED'));
  expect(() => blind.subjects.destroy('ada', 0)).toThrowError(failing('STORAGE_FAILED'));
  expect(() => blind.codec.decode(...place, bytes)).toThrowError(failing('MEMORY_SEALED'));
  expect(open(folder.path, openKeyring(folder.path, { b }, {})).subjects.kidOf('ada')).toBe(kid);
});
