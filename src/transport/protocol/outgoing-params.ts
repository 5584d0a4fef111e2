/** Params as they go on the wire: our own progress token, and the modern era's envelope in `_meta`. */

import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { product } from '../../kernel/product.ts';
import { type Era, latestModernVersion, metaKeys, type Peer } from '../../kernel/protocol.ts';

/** The `_meta` fields each modern request carries (2026-07-28): the peer's identity, or ours where there is none. */
export function modernMeta(peer: Peer | undefined): JsonObject {
  return addModernMeta({}, peer);
}

function addModernMeta(meta: JsonObject, peer: Peer | undefined): JsonObject {
  meta[metaKeys.protocolVersion] = latestModernVersion;
  meta[metaKeys.clientInfo] = peer?.clientInfo ?? product;
  meta[metaKeys.clientCapabilities] = peer?.capabilities ?? {};
  const logLevel = peer?.logLevel;
  if (logLevel) meta[metaKeys.logLevel] = logLevel;
  // A level that came along from somewhere else would turn on messages this peer did not ask for.
  else if (metaKeys.logLevel in meta) delete meta[metaKeys.logLevel];
  return meta;
}

/** Params of a request for an upstream of `era`; `progressToken` replaces the caller's own token. */
export function outgoingParams(
  era: Era,
  params: JsonObject | undefined,
  peer: Peer | undefined,
  progressToken: number | undefined,
): JsonObject | undefined {
  if (era === 'legacy' && progressToken === undefined) return params;
  const given = params?.['_meta'];
  const meta: JsonObject = { ...(isJsonObject(given) && given) };
  if (progressToken !== undefined) meta['progressToken'] = progressToken;
  if (era === 'modern') addModernMeta(meta, peer);
  return { ...params, _meta: meta };
}
