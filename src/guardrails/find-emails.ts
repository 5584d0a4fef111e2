/** E-mail addresses: from each `@` to both sides, so that a long text without one costs one look. */

import type { Report } from './guardrail.ts';

const longestLocal = 64;
const localChar = /[\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]/u;
const domain =
  /(?:[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.){1,8}(?:\p{L}[\p{L}\p{M}]{1,23}|xn--[a-z0-9-]{2,59})(?![\p{L}\p{N}_-])/uy;

/** Names that are kept for examples (RFC 2606), and ends of files that look like names. */
const noDomain =
  /(?:^|\.)(?:example(?:\.(?:com|org|net))?|invalid|test|localhost|local|internal)$|\.(?:png|jpe?g|gif|svg|webp|avif|js|mjs|cjs|ts|tsx|jsx|css|json|md|py|rb|go|rs|java|html?|ya?ml|tgz|zip|so|service|timer|socket|target|mount)$/i;
/** Nobody in particular. */
const nobody =
  /^(?:no-?reply|do-?not-?reply|git|mailer-daemon|postmaster|noreply\+.*|.*\[bot\]|actions?|bot)$/i;

/** Before the host of `ssh://git@host` and `https://user:password@host`. */
const inUrl = /:\/\/(?:[^\s/@:]{1,64}:)?$/;

/** Reports each address. */
export function findEmails(text: string, report: Report): void {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < longestLocal && localChar.test(text[start - 1]!)) start -= 1;
    // What Markdown, links and lists put in front is no part of it.
    while (start < at && !/[\p{L}\p{N}_]/u.test(text[start]!)) start += 1;
    const local = text.slice(start, at);
    start += Math.max(local.lastIndexOf('/'), local.lastIndexOf('=')) + 1;
    if (start === at) continue;
    domain.lastIndex = at + 1;
    const host = domain.exec(text)?.[0];
    if (host === undefined || noDomain.test(host) || nobody.test(text.slice(start, at))) continue;
    if (inUrl.test(text.slice(Math.max(0, start - 80), start))) continue;
    report('email', start, at + 1 + host.length);
  }
}
