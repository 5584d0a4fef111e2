/**
 * Stock Git on one remote: list, fetch, push, each bounded in time. The credential goes to Git by the
 * environment alone; the user's ssh configuration and agent are used, questions are never asked.
 */

import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import { type SsrfGuard, portOf } from '../../kernel/ssrf-guard.ts';
import { type Ending, runBounded } from '../git/bounded-git.ts';
import { type Git, createGit } from '../git/run-git.ts';
import { toRemoteError } from './remote-failure.ts';
import { type RemoteKind, checkBranch, remoteKind } from './remote-url.ts';

/** Which way memories go. */
export type Direction = 'both' | 'pull' | 'push';

/** A remote as configured, or as added later. */
export interface RemoteOptions {
  readonly name: string;
  readonly source: 'config' | 'added';
  /** URL, or absolute path. */
  readonly url: string;
  readonly branch: string;
  readonly direction: Direction;
  /** Between two rounds; 0 for only when asked. */
  readonly everySeconds: number;
  /** Sent with the credential over HTTP. */
  readonly username?: string | undefined;
  /** Reads the token or password, anew for each round. */
  readonly readCredential?: (() => Promise<string>) | undefined;
  /** Judges the addresses of its host, anew for each round; for URLs that the machine's owner did not choose. */
  readonly guard?: SsrfGuard | undefined;
}

/** What became of one ref of a push. */
export interface PushedRef {
  readonly ref: string;
  readonly isTaken: boolean;
  /** True when someone else was first: to be tried again on top of theirs. */
  readonly isRace: boolean;
  /** What Git and the remote said about it. */
  readonly reason: string;
}

export interface RemoteGit {
  readonly kind: RemoteKind;
  /** Ids of the branch and the snapshots at the remote, by ref; `<ref>^{}` is what a tag stands for. */
  list(): Promise<ReadonlyMap<string, string>>;
  /** Fetches by `<ref>:<ref>`, never over something else. */
  fetch(refspecs: readonly string[]): Promise<void>;
  /** Pushes by `<id or ref>:<ref>`, never over something else. */
  push(refspecs: readonly string[]): Promise<readonly PushedRef[]>;
}

const listTimeoutMs = 60_000;
const transferTimeoutMs = 1_800_000;

/**
 * Opens a remote for one round. Throws INVALID_INPUT, and what reading the credential or its guard failed with.
 */
export async function openRemote(
  repositoryDir: string,
  options: RemoteOptions,
  signal: AbortSignal,
): Promise<RemoteGit> {
  const { name, url, branch } = options;
  const kind = remoteKind(url);
  checkBranch(branch);
  const secret = kind.startsWith('http') ? await options.readCredential?.() : undefined;
  const pins = options.guard && (await pinsOf(options.guard, options));
  const git = createGit(repositoryDir, remoteEnvironment(kind, options, secret, pins));

  async function run(args: readonly string[], timeoutMs: number): Promise<Ending & { out: string }> {
    const ending = await runBounded(git, args, { timeoutMs, signal });
    if (ending.why === 'aborted') throw new AppError('SHUTTING_DOWN');
    if (ending.why === 'timeout') throw toRemoteError(name, 'fatal: timed out', undefined);
    return ending;
  }

  return {
    kind,
    async list() {
      const wanted = [`refs/heads/${branch}`, 'refs/tags/snap/*'];
      const { code, out, errors } = await run(['ls-remote', '--quiet', '--', url, ...wanted], listTimeoutMs);
      if (code !== 0) throw toRemoteError(name, errors, secret);
      const rows = out.split('\n').filter((row) => /^[0-9a-f]{40}\t/.test(row));
      return new Map(rows.map((row) => [row.slice(41), row.slice(0, 40)]));
    },
    async fetch(refspecs) {
      const how = ['--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', '--no-recurse-submodules'];
      const args = ['fetch', '--quiet', ...how, '--', url, ...refspecs];
      const { code, errors } = await run(args, transferTimeoutMs);
      if (code !== 0) throw toRemoteError(name, errors, secret);
    },
    async push(refspecs) {
      const args = ['push', '--porcelain', '--no-verify', '--no-signed', '--', url, ...refspecs];
      const { code, out, errors } = await run(args, transferTimeoutMs);
      const refs = parsePorcelain(out, errors);
      // Refused refs are an answer; no answer at all is a failure.
      if (refs.length === 0 && code !== 0) throw toRemoteError(name, errors, secret);
      return refs;
    },
  };
}

/** The addresses that the guard let pass, as `http.curlOptResolve` takes them: a name server cannot move them later. */
async function pinsOf(guard: SsrfGuard, { name, url }: RemoteOptions): Promise<string[]> {
  const target = guard.checkUrl(url);
  const { hostname } = target;
  const found = await guard.resolve(hostname, portOf(target)).catch((error: unknown) => {
    const fix = isAppError(error, 'FORBIDDEN')
      ? 'permit it under memory.addedRemotes.allowHosts in the config'
      : 'check the URL and the network; it is tried again by itself';
    throw new AppError('REMOTE_FAILED', { remote: name, problem: messageOf(error), fix }, { cause: error });
  });
  // What is an address already needs no name server.
  if (found.some(({ address }) => hostname === address || hostname === `[${address}]`)) return [];
  const addresses = found.map(({ address, family }) => (family === 6 ? `[${address}]` : address));
  return [`${hostname}:${portOf(target)}:${addresses.join(',')}`];
}

/** What Git gets to know beside its arguments; `pins` are of a guarded remote. */
function remoteEnvironment(
  kind: RemoteKind,
  { url, username = 'git' }: RemoteOptions,
  secret: string | undefined,
  pins: readonly string[] | undefined,
): Record<string, string> {
  const settings: [string, string][] = [
    ['fetch.fsckObjects', 'true'],
    ['push.recurseSubmodules', 'no'],
    // A stalled connection ends; a remote that thinks may take its time.
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', '120'],
    // With a credential nothing is sent to where a redirect leads; a guarded remote leads nowhere else.
    ['http.followRedirects', secret === undefined && !pins ? 'initial' : 'false'],
    ...(pins ?? []).map((pin): [string, string] => ['http.curlOptResolve', pin]),
  ];
  if (secret !== undefined) {
    const pair = Buffer.from(`${username}:${secret}`, 'utf8').toString('base64');
    settings.push([`http.${new URL(url).origin}/.extraHeader`, `Authorization: Basic ${pair}`]);
  }
  const entries = settings.flatMap(([key, value], i) => [
    [`GIT_CONFIG_KEY_${i}`, key],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ]);
  return {
    ...(Object.fromEntries(entries) as Record<string, string>),
    GIT_CONFIG_COUNT: String(settings.length),
    GIT_ALLOW_PROTOCOL: kind,
    GIT_ASKPASS: '',
    GIT_SSH_COMMAND:
      'ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=4',
  };
}

const raceWords =
  /non-fast-forward|fetch first|stale info|lock|incorrect old value|failed to update ref|already exists/i;

/** Lines `<flag>\t<from>:<to>\t<summary>` of `git push --porcelain`. */
function parsePorcelain(out: string, errors: string): PushedRef[] {
  return out.split('\n').flatMap((line) => {
    const [, flag, ref, summary] = /^(.)\t[^\t]*:([^\t]+)\t(.*)$/.exec(line) ?? [];
    if (flag === undefined || ref === undefined || summary === undefined) return [];
    const said = errors.split('\n').filter((words) => words.startsWith('remote: '));
    const reason = [summary, ...said.map((words) => words.trim())].join(' | ');
    return [{ ref, isTaken: flag !== '!', isRace: raceWords.test(summary), reason }];
  });
}

/** The ref of a remote's branch as we saw it last. */
export function trackingRef(name: string): string {
  return `refs/git-memory/remotes/${name}/main`;
}

/** Where its branch is fetched to, before it is seen whether it may be taken. */
export function incomingRef(name: string): string {
  return `refs/git-memory/incoming/${name}`;
}

/** The id that a ref holds; null when it is not there. */
export async function readRef(git: Git, ref: string): Promise<string | null> {
  const out = await git.run(['for-each-ref', '--format=%(objectname) %(refname)', ref]);
  const row = out
    .toString('utf8')
    .split('\n')
    .find((line) => line.slice(41) === ref);
  return row?.slice(0, 40) ?? null;
}
