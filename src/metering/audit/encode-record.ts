/**
 * The text of a record, and the chain. A record is a JSON object without white space, `seq` first; its hash is SHA-256 over
 * `<hash of the former record>\n<text>` in UTF-8, hexadecimal. Before the first record stands 64 times 0. The text is kept
 * as it was hashed, so that nobody has to make it again.
 */

import { hash } from 'node:crypto';
import type { AuditEvent } from '../../kernel/audit.ts';
import { localOwner } from '../../kernel/principal.ts';
import { stableJson } from '../../kernel/stable-json.ts';
import type { StoredAuditRecord } from '../../store/audit-records.ts';

/** An event as it waits to be written: small, and without what a digest stands for. */
export interface PreparedRecord {
  readonly tenant: string;
  readonly at: string;
  readonly principal: string | null;
  readonly server: string | null;
  readonly target: string;
  readonly outcome: string;
  /** Everything as JSON, seq aside. */
  readonly text: string;
}

/** Callers choose some of the texts. */
const maxTextLength = 500;

/** A text that a store keeps as it is: of bounded length, well-formed, without NUL. */
export function boundedText(text: string): string {
  return text.slice(0, maxTextLength).replaceAll('\0', '\u{fffd}').toWellFormed();
}

const optionalText = (text: string | undefined): string | null =>
  text === undefined ? null : boundedText(text);

const sha256 = (text: string): string => `sha256:${hash('sha256', text, 'hex')}`;

/** Of any JSON value; equal for equal values. */
export function digestOf(value: unknown): string {
  return sha256(stableJson(value) ?? 'null');
}

/** Of what a client has sent: it may be nested deeper than anybody can write down again. */
function inputDigest(input: unknown): string | null {
  if (input === undefined) return null;
  try {
    return digestOf(input);
  } catch {
    return 'too deep';
  }
}

/** Definitions are few and live long. */
const definitionDigests = new WeakMap<object, string>();

function definitionDigest(definition: object): string {
  const known = definitionDigests.get(definition);
  if (known !== undefined) return known;
  const made = digestOf(definition);
  definitionDigests.set(definition, made);
  return made;
}

export interface PrepareOptions {
  /** Digest of the config in force. */
  readonly config: () => string;
  /** Keeps the arguments beside their digest, without what looks like a secret. */
  readonly redact?: ((value: unknown) => unknown) | undefined;
}

export function prepareRecord(event: AuditEvent, { config, redact }: PrepareOptions): PreparedRecord {
  // What nobody is known for belongs to the tenant of the installation.
  const tenant = event.principal?.tenant ?? localOwner.tenant;
  const principal = optionalText(event.principal?.id);
  const server = optionalText(event.server);
  const target = boundedText(event.target);
  const at = new Date(event.atMs).toISOString();
  const { arguments: input, definition, details, code, requestId } = event;
  const fields = {
    tenant,
    at,
    latencyMs: Math.round(event.latencyMs * 1000) / 1000,
    way: event.way,
    principal,
    role: event.principal?.role ?? null,
    action: boundedText(event.action),
    server,
    target,
    digest: inputDigest(input),
    outcome: event.outcome,
    code: code ?? null,
    requestId: optionalText(requestId),
    config: config(),
    definition: definition ? definitionDigest(definition) : null,
    ...(redact && input !== undefined && { arguments: redact(input) }),
    ...(details && { details }),
  };
  return { tenant, at, principal, server, target, outcome: event.outcome, text: JSON.stringify(fields) };
}

/** The hash of a record after a former one. */
export function chainHash(former: string, text: string): string {
  return hash('sha256', `${former}\n${text}`, 'hex');
}

/** Puts records behind the end of a chain, all of one tenant. */
export function chainRecords(
  head: { readonly seq: number; readonly hash: string },
  records: readonly PreparedRecord[],
): StoredAuditRecord[] {
  let { seq, hash: former } = head;
  return records.map(({ at, principal, server, target, outcome, text }) => {
    seq += 1;
    const record = `{"seq":${seq},${text.slice(1)}`;
    former = chainHash(former, record);
    return { seq, at, principal, server, target, outcome, record, hash: former };
  });
}
