/** What tells browsers to do nothing with our answers but to hand them to who asked (OWASP REST Security Cheat Sheet). */

import type { ServerResponse } from 'node:http';

const always: readonly (readonly [string, string])[] = [
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=()'],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
];
/** A year, RFC 6797. Names below ours may belong to others, so they are not bound. */
const hsts = ['strict-transport-security', 'max-age=31536000'] as const;
/** Shared by all that a person develops: bound to HTTPS, the others would be gone. */
const localhost = /^localhost(?::\d+)?$/i;

/** Sets them on an answer that is not sent yet. The answers of MCP go without: see docs/adr/0041-transport-security.md. */
export function createSecurityHeaders(isTls: boolean): (response: ServerResponse) => void {
  return (response) => {
    for (const [name, value] of always) response.setHeader(name, value);
    if (isTls && !localhost.test(response.req.headers.host ?? '')) response.setHeader(...hsts);
  };
}
