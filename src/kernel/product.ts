/** Name and version of this product, as it introduces itself over MCP and HTTP. */

import { readFileSync } from 'node:fs';
import type { ClientIdentity } from './protocol.ts';

/** `src/kernel` and `dist/kernel` both lie two folders below the package's own `package.json`. */
const manifest = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as ClientIdentity;

export const product: ClientIdentity = { name: manifest.name, version: manifest.version };
