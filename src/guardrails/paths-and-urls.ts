/** Guardrail `pathsAndUrls`: arguments that name files outside of their folders, or addresses that are nobody's business. */

import { isIP } from 'node:net';
import { posix, win32 } from 'node:path';
import type { PathSettings } from '../kernel/guardrail-options.ts';
import { AppError } from '../kernel/errors.ts';
import { createSsrfGuard } from '../kernel/ssrf-guard.ts';
import type { Guardrail, Report } from './guardrail.ts';

const longest = 8192;
const url = /^\s{0,8}([a-z][a-z0-9+.-]{1,31}):(?:\/\/|(?=[^\\/\s]))/i;
const pathName =
  /(?:^|[-_ .])(?:path|paths|file|files|filename|dir|directory|folder|cwd|root|source|destination|dest|target|src)$/i;
const urlName = /(?:^|[-_ .])(?:url|urls|uri|href|link|endpoint|webhook|callback)$/i;
/** Unicode's other dots and slashes, which some file systems and libraries fold. */
const lookalikes = /[\u2024\uFF0E]/g;
const slashes = /[\u2044\u2215\uFF0F\\]/g;

/** With `%2e` and the like undone, twice: `%252e` is for whoever decodes once more. */
function decoded(text: string): string {
  let plain = text;
  for (let round = 0; round < 2 && plain.includes('%'); round += 1) {
    plain = plain.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  return plain.replaceAll(lookalikes, '.').replaceAll(slashes, '/');
}

const words = (name: string): string => name.replaceAll(/([a-z])([A-Z])/g, '$1_$2');
const isDrive = (text: string): boolean => /^[a-z]:(?:[\\/]|$)/i.test(text);

export function createPathsAndUrls({ roots, schemes, allowHosts, allowPrivate }: PathSettings): Guardrail {
  const ssrf = createSsrfGuard({ allowHosts, allowPrivate });
  const allowed = new Set(schemes.map((scheme) => scheme.toLowerCase().replace(/:$/, '')));

  function isInside(path: string): boolean {
    return roots.some((root) => {
      const rules = isDrive(root) || root.startsWith('\\\\') ? win32 : posix;
      const way = rules.relative(rules.normalize(root), rules.normalize(path));
      return way !== '..' && !way.startsWith(`..${rules.sep}`) && !rules.isAbsolute(way);
    });
  }

  function checkUrl(text: string, scheme: string, report: Report): void {
    if (!allowed.has(scheme)) return report('scheme', 0, text.length);
    const parsed = URL.parse(text.trim());
    if (!parsed || (scheme !== 'http' && scheme !== 'https')) return;
    const host = parsed.hostname.replace(/\.$/, '').toLowerCase();
    const isLocal = host === 'localhost' || /\.(?:localhost|local|internal|home\.arpa)$/.test(host);
    if (isLocal && !allowPrivate && !allowHosts.includes(host) && !allowHosts.includes(parsed.host)) {
      return report('private-address', 0, text.length);
    }
    if (isIP(host.replaceAll(/[[\]]/g, '')) === 0) return;
    parsed.username = '';
    parsed.password = '';
    try {
      ssrf.checkUrl(parsed.href);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      report('private-address', 0, text.length);
    }
  }

  function checkPath(text: string, report: Report): void {
    if (text.includes('\0') || /%00/.test(text)) return report('null-byte', 0, text.length);
    const plain = decoded(text);
    if (/(?:^|\/)\.\.(?:\/|$)/.test(plain)) return report('traversal', 0, text.length);
    if (roots.length === 0) return;
    const isAbsolute = plain.startsWith('/') || plain.startsWith('~') || isDrive(plain);
    // A path with backslashes is judged as it is written: they are the separator of Windows' roots.
    if (isAbsolute && !isInside(isDrive(text) || text.startsWith('\\\\') ? text : plain)) {
      report('outside-roots', 0, text.length);
    }
  }

  return {
    name: 'pathsAndUrls',
    directions: ['arguments'],
    inspect(text, { name }, report) {
      if (text.length < 2 || text.length > longest || text.includes('\n')) return;
      const field = words(name);
      const scheme = url.exec(text)?.[1]?.toLowerCase();
      if (scheme !== undefined && (text.includes('://') || urlName.test(field)) && !isDrive(text)) {
        checkUrl(text, scheme, report);
        if (scheme === 'http' || scheme === 'https') return;
      }
      const isPath =
        pathName.test(field) ||
        urlName.test(field) ||
        /^(?:\.{0,2}[\\/]|~[\\/]|[a-z]:[\\/])[^\s]*$/i.test(text);
      if (isPath && !/\s{2}/.test(text)) checkPath(text, report);
    },
  };
}
