/** How entities of a knowledge graph are named in the memory; import, export and links agree on it. */

import { hash } from 'node:crypto';

const maxNameLength = 300;

/** The last part of an entity's key: its name, or the beginning of it and a hash where the name cannot be a key. */
export function graphKey(name: string): string {
  const safe = name
    .toWellFormed()
    .normalize('NFC')
    .replaceAll(/[/%\0]/g, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const isExact = safe.length <= maxNameLength && name === name.normalize('NFC') && name.isWellFormed();
  if (isExact && !/^\.{0,2}$|~[0-9a-f]{16}$/.test(safe)) return safe;
  const digest = hash('sha256', JSON.stringify(name), 'hex').slice(0, 16);
  return `${safe.slice(0, maxNameLength).toWellFormed()}~${digest}`;
}
