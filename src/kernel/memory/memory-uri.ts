/** URIs of memories: `memory://<scope>/<key>`. */

import { scopeShape } from './shapes.ts';

const scheme = 'memory://';

/** Key segments keep their slashes; everything else that a URI may not hold is percent-encoded. */
export function memoryUri(scope: string, key: string): string {
  return `${scheme}${encodeURIComponent(scope)}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** Scope and key of a memory's URI in any spelling; undefined for what is none. */
export function parseMemoryUri(uri: string): { scope: string; key: string } | undefined {
  if (!uri.toLowerCase().startsWith(scheme)) return undefined;
  const [scope = '', ...segments] = uri.slice(scheme.length).split('/');
  try {
    const place = {
      scope: decodeURIComponent(scope),
      key: segments.map(decodeURIComponent).join('/').normalize('NFC'),
    };
    return place.key !== '' && scopeShape.safeParse(place.scope).success ? place : undefined;
  } catch {
    return undefined;
  }
}
