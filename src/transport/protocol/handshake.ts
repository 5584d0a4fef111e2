/** The opening exchange of both eras: what we send, and what we make of the answer. */

import { AppError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { product } from '../../kernel/product.ts';
import {
  type Era,
  isLegacyVersion,
  isModernVersion,
  latestLegacyVersion,
  latestModernVersion,
  metaKeys,
} from '../../kernel/protocol.ts';
import type { ServerIdentity } from '../connection.ts';
import { modernMeta } from './outgoing-params.ts';

/** What the opening exchange settled. */
export interface Negotiated {
  readonly era: Era;
  readonly protocolVersion: string;
  readonly server: ServerIdentity;
}

export type EraChoice = 'auto' | Era;

/** Params of `server/discover` as sent by the gateway itself. */
export function discoverParams(): JsonObject {
  return { _meta: modernMeta(undefined) };
}

/** Params of `initialize`: the gateway relays sampling, elicitation and roots for whoever is connected. */
export function initializeParams(): JsonObject {
  return {
    protocolVersion: latestLegacyVersion,
    capabilities: { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } },
    clientInfo: product,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function serverIdentity(info: unknown, answer: JsonObject): ServerIdentity {
  const known = isJsonObject(info) ? info : {};
  return {
    info: { ...known, name: textOf(known['name']) ?? 'unknown', version: textOf(known['version']) ?? '0' },
    capabilities: isJsonObject(answer['capabilities']) ? answer['capabilities'] : {},
    ...(typeof answer['instructions'] === 'string' && { instructions: answer['instructions'] }),
  };
}

/** Reads an answer to `server/discover`; undefined when it is none, or names no version we speak. */
export function readDiscover(answer: JsonObject): Negotiated | undefined {
  const versions = answer['supportedVersions'];
  if (!Array.isArray(versions) || !isJsonObject(answer['capabilities'])) return undefined;
  const protocolVersion = versions.includes(latestModernVersion)
    ? latestModernVersion
    : versions.find((version) => isModernVersion(version));
  if (typeof protocolVersion !== 'string') return undefined;
  const meta = answer['_meta'];
  const info = isJsonObject(meta) ? meta[metaKeys.serverInfo] : undefined;
  return { era: 'modern', protocolVersion, server: serverIdentity(info ?? answer['serverInfo'], answer) };
}

/** Reads an answer to `initialize`; throws UPSTREAM_PROTOCOL for a version we do not speak. */
export function readInitialize(server: string, answer: JsonObject): Negotiated {
  const protocolVersion = answer['protocolVersion'];
  if (typeof protocolVersion !== 'string' || !isLegacyVersion(protocolVersion)) {
    const problem = `it offers protocol version ${JSON.stringify(protocolVersion) ?? 'none'}, which is not known`;
    throw new AppError('UPSTREAM_PROTOCOL', { server, problem });
  }
  return { era: 'legacy', protocolVersion, server: serverIdentity(answer['serverInfo'], answer) };
}
