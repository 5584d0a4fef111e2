/** Small reads from /proc and /sys, which exist on Linux only. */

import { readFile } from 'node:fs/promises';

/** The text of a file, or undefined when it is not there or not ours to read. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Lines of the form `Name:   123 kB` as name → number (kB stay kB). */
export function parseColonNumbers(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [, name = '', value = ''] of text.matchAll(/^([\w()]+):\s+(\d+)/gm))
    numbers.set(name, Number(value));
  return numbers;
}
