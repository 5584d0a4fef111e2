/** Records as lines for other programs: JSON Lines, CSV (RFC 4180) and ArcSight's Common Event Format, version 0. */

import type { AuditItem } from '../../contract/rest/audit-routes.ts';
import { product } from '../../kernel/product.ts';

export const auditFormats = ['jsonl', 'csv', 'cef'] as const;
export type AuditFormat = (typeof auditFormats)[number];

const columns = [
  'seq',
  'at',
  'tenant',
  'principal',
  'role',
  'way',
  'action',
  'server',
  'target',
  'outcome',
  'code',
  'latencyMs',
  'requestId',
  'digest',
  'config',
  'definition',
  'arguments',
  'details',
  'hash',
] as const satisfies readonly (keyof AuditItem)[];

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Quoted where it has to be; a text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** In the header of CEF a bar and a backslash are escaped; a line end has no place there. */
export function cefHeader(text: string): string {
  return text.replaceAll(/[\\|]/g, '\\$&').replaceAll(/[\r\n]+/g, ' ');
}

/** In the extension an equals sign and a backslash are escaped, and line ends written as \n and \r. */
export function cefValue(text: string): string {
  return text.replaceAll(/[\\=]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}

/** 0 to 10. */
const severities: Readonly<Record<AuditItem['outcome'], number>> = {
  ok: 2,
  'tool-error': 4,
  error: 5,
  refused: 7,
};

/** A field of CEF that has no name of its own for the value. */
function labelled(field: string, label: string, value: unknown): (readonly [string, unknown])[] {
  if (value === null) return [];
  return [
    [`${field}Label`, label],
    [field, value],
  ];
}

function cefLine(item: AuditItem): string {
  const header = [
    'CEF:0',
    ...[product.name, product.name, product.version, item.action, `${item.action} ${item.outcome}`].map(
      cefHeader,
    ),
    severities[item.outcome],
  ].join('|');
  const fields: readonly (readonly [string, unknown])[] = [
    ['rt', Date.parse(item.at)],
    ['externalId', item.seq],
    ['suser', item.principal],
    ['spriv', item.role],
    ['app', item.way],
    ['act', item.action],
    ['outcome', item.outcome],
    ['reason', item.code],
    ['destinationServiceName', item.server],
    ['request', item.target],
    ...labelled('cs1', 'tenant', item.tenant),
    ...labelled('cs2', 'argumentsDigest', item.digest),
    ...labelled('cs3', 'requestId', item.requestId),
    ...labelled('cs4', 'config', item.config),
    ...labelled('cs5', 'definition', item.definition),
    ...labelled('cs6', 'hash', item.hash),
    ...labelled('cfp1', 'latencyMs', item.latencyMs),
    ['msg', item.details],
  ];
  const extension = fields
    .map(([name, value]) => [name, textOf(value)] as const)
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name}=${cefValue(text)}`);
  return `${header}|${extension.join(' ')}`;
}

/** What stands before the first record, with its line end. */
export function headOf(format: AuditFormat): string {
  return format === 'csv' ? `${columns.join(',')}\r\n` : '';
}

/** A record with its line end. */
export function encodeItem(item: AuditItem, format: AuditFormat): string {
  if (format === 'jsonl') return `${JSON.stringify(item)}\n`;
  if (format === 'cef') return `${cefLine(item)}\n`;
  return `${columns.map((name) => csvField(textOf(item[name]))).join(',')}\r\n`;
}
