/** Judges where a clone may come from: https, ssh, or a repository inside the roots; never a transport that runs programs. */

import { isIP } from 'node:net';
import { isAppError } from '../../../kernel/errors.ts';
import { ToolError } from '../../../kernel/define-server.ts';
import { createSsrfGuard } from '../../../kernel/ssrf-guard.ts';
import { openRepository } from './repository.ts';
import type { GitContext } from './settings.ts';

export interface CloneSource {
  readonly url: string;
  readonly protocols: readonly string[];
  /** Options that hold the transfer to the address that was checked. */
  readonly options: readonly string[];
  /** Last part of its path without `.git`: the name of the clone when the caller gives none. */
  readonly name: string;
}

const hostName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$|^\[[0-9a-f:.]+\]$/i;
const scpForm = /^(?:([\w.-]+)@)?([a-z0-9][a-z0-9.-]*):(?!\/\/)([^:].*)$/i;
const defaultPorts: Record<string, number> = { 'https:': 443, 'http:': 80, 'ssh:': 22 };

const lastPart = (path: string): string =>
  (path.replace(/\/+$/, '').split(/[/\\]/).at(-1) ?? '').replace(/\.git$/, '');

/** The addresses of a host that may be connected to, as curl's resolve list takes them. */
async function checkedAddresses(context: GitContext, host: string, port: number): Promise<string> {
  const guard = createSsrfGuard({ allowHosts: context.settings.allowHosts });
  try {
    const found = await guard.resolve(host.replace(/^\[|\]$/g, ''), port);
    if (found.length > 0)
      return found.map(({ address, family }) => (family === 6 ? `[${address}]` : address)).join(',');
  } catch (error) {
    if (isAppError(error)) throw new ToolError(`url: ${error.message}`, { cause: error });
    throw error;
  }
  throw new ToolError(`url: the host ${host} has no address`);
}

function parseUrl(url: string): URL {
  const scp = scpForm.exec(url);
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(url);
  const text = !isUrl && scp ? `ssh://${scp[1] ? `${scp[1]}@` : ''}${scp[2]}/${scp[3]}` : url;
  const parsed = URL.parse(text);
  if (!parsed) throw new ToolError(`url: "${url}" is neither an https or ssh address nor a repository here`);
  return parsed;
}

async function remoteSource(context: GitContext, url: string): Promise<CloneSource> {
  const parsed = parseUrl(url);
  const { protocol, hostname, password, username } = parsed;
  if (!(protocol in defaultPorts)) {
    throw new ToolError(`url: the transport "${protocol.slice(0, -1)}" is refused; use https or ssh`);
  }
  if (password !== '' || (protocol !== 'ssh:' && username !== '')) {
    throw new ToolError('url: must not contain a user name or password; they would be stored in the clone');
  }
  // ssh takes a host or user that starts with "-" for an option.
  if (!hostName.test(hostname) || username.startsWith('-'))
    throw new ToolError(`url: "${hostname}" is no valid host name`);
  const port = parsed.port === '' ? (defaultPorts[protocol] ?? 0) : Number(parsed.port);
  const isListed = (host: string) =>
    context.settings.allowHosts.some((allowed) => allowed === host || allowed === `${host}:${port}`);
  if (protocol === 'http:' && !isListed(hostname)) {
    throw new ToolError(
      `url: plain http is refused as anyone on the way can change what comes; use https, or list ${hostname} in the setting allowHosts`,
    );
  }
  const addresses = await checkedAddresses(context, hostname, port);
  const isPinned = protocol !== 'ssh:' && isIP(hostname) === 0 && !hostname.startsWith('[');
  const options = isPinned ? ['-c', `http.curloptResolve=${hostname}:${port}:${addresses}`] : [];
  const name = lastPart(parsed.pathname);
  return { url, protocols: [protocol.slice(0, -1)], options, name };
}

/** Checks the source of a clone; ToolError names what is wrong with it. */
export async function checkSource(context: GitContext, url: string): Promise<CloneSource> {
  if (/\p{Cc}|\s/u.test(url) || url.startsWith('-'))
    throw new ToolError('url: must not start with "-" or contain spaces or control characters');
  if (/^[a-z0-9+.-]*::/i.test(url))
    throw new ToolError(
      'url: transports of the form "name::address" run programs and are refused; use https or ssh',
    );
  const file = /^file:\/\/(\/.*)$/i.exec(url)?.[1];
  const isLocal =
    file !== undefined || (!url.includes('://') && !scpForm.test(url)) || /^[a-z]:[\\/]/i.test(url);
  if (!isLocal) return remoteSource(context, url);
  const source = await openRepository(context, file ?? url);
  return { url: source.path, protocols: ['file'], options: [], name: lastPart(source.path) };
}
