import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { referencePages } from '../../docs/generate.ts';

describe('docs/reference', () => {
  it.each(Object.entries(referencePages))(
    '%s is what docs/generate.ts writes: run it',
    async (name, write) => {
      const path = new URL(`../../docs/reference/${name}`, import.meta.url);
      const text = await readFile(path, 'utf8');
      expect(text.replaceAll('\r\n', '\n')).toBe(write());
    },
  );
});
