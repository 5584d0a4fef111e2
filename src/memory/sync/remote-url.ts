/** Which URLs a remote may have: those that stock Git takes over file, http, https and ssh, without secrets. */

import { isAbsolute, resolve } from 'node:path';
import { AppError } from '../../kernel/errors.ts';

export type RemoteKind = 'file' | 'http' | 'https' | 'ssh';

const kinds: Readonly<Record<string, RemoteKind>> = {
  'file:': 'file',
  'http:': 'http',
  'https:': 'https',
  'ssh:': 'ssh',
};

/**
 * The transport of a URL or path. Throws INVALID_INPUT for other transports (`ext::` runs programs), for what
 * Git would take for an option, and for a user name or password where it would show in logs.
 */
export function remoteKind(url: string): RemoteKind {
  if (url === '' || url.startsWith('-') || /\p{Cc}/u.test(url)) throw invalid('is no URL or path');
  if (/^[a-z][a-z0-9+.-]*::/i.test(url)) throw invalid('must be file, http, https or ssh');
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return scpHost(url) === undefined ? 'file' : 'ssh';
  const parsed = URL.parse(url);
  const kind = parsed ? kinds[parsed.protocol] : undefined;
  if (!parsed || !kind) throw invalid('must be file, http, https or ssh');
  if (kind !== 'ssh' && parsed.username + parsed.password !== '') {
    throw invalid('must not hold a user name or token; name it under credential instead');
  }
  if (parsed.password !== '') throw invalid('must not hold a password; ssh uses your key or agent');
  const parts = [parsed.hostname, decodeURIComponent(parsed.username), decodeURIComponent(parsed.pathname)];
  if (kind === 'ssh' && parts.some((part) => /^\/?-/.test(part))) throw invalid('must not begin with -');
  return kind;
}

/** `[user@]host:path`, which is ssh; a single letter before the colon is a drive of Windows. */
function scpHost(url: string): string | undefined {
  const [, host, path] = /^([^/\\:]{2,}):(.*)$/s.exec(url) ?? [];
  if (host === undefined) return undefined;
  if (/(?:^|@)-/.test(host) || path?.startsWith('-')) throw invalid('must not begin with -');
  return host;
}

/** The URL with a relative path made absolute. */
export function absoluteRemoteUrl(url: string, baseDir: string): string {
  const isPath = !/^[a-z][a-z0-9+.-]*:/i.test(url) && !/^[^/\\:]{2,}:/.test(url);
  return isPath && !url.startsWith('-') && !isAbsolute(url) ? resolve(baseDir, url) : url;
}

/** For people: without user name, password and query. */
export function maskRemoteUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1').replace(/[?#].*$/s, '');
}

function invalid(problem: string): AppError {
  return new AppError('INVALID_INPUT', { field: 'url', problem });
}

/** A branch that is a plain name for Git; throws INVALID_INPUT. */
export function checkBranch(branch: string): void {
  const isSound =
    /^[A-Za-z0-9_](?:[\w./-]*[\w-])?$/.test(branch) && !/\.\.|\/\/|\/\.|\.lock(?:\/|$)/.test(branch);
  if (!isSound) throw new AppError('INVALID_INPUT', { field: 'branch', problem: 'is no name of a branch' });
}
