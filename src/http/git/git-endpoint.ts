/**
 * Git over HTTP, the smart protocol (gitprotocol-http): `/git/<tenant>.git` for clone, fetch and push with stock
 * Git. Bodies are streams both ways, so this is outside the REST framework.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { AuditChange } from '../../kernel/audit.ts';
import type { Authorizer } from '../../kernel/authorizer.ts';
import { AppError, errorTable, toAppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { GitAccess, GitService } from '../../memory/sync/git-access.ts';
import type { RefAnswer } from '../../memory/sync/push-report.ts';

export interface GitEndpointOptions {
  /** Repositories by tenant. */
  readonly repositories: ReadonlyMap<string, GitAccess>;
  /** Who may do what; everybody may do everything without it. */
  readonly authorizer?: Pick<Authorizer, 'mayClone' | 'pushCheck'> | undefined;
  /** Writes down pushes. */
  readonly auditChange?: AuditChange | undefined;
  readonly logger: Logger;
}

/** Answers one request; never throws. */
export type GitEndpoint = (
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
) => Promise<void>;

/** What a client may say in one round of a fetch: ids that it wants and has. */
const maxFetchBytes = 32 * 1024 * 1024;
/** Beyond the limit of the pack itself, which the memory holds to. */
const maxPushBytes = 1024 * 1024 * 1024;

const pathPattern =
  /^\/git\/([a-z0-9][a-z0-9-]{0,62})(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/;

/** True for paths that are for this endpoint, known or not. */
export function isGitPath(path: string): boolean {
  return path.startsWith('/git/');
}

/** An endpoint for all repositories. */
export function createGitEndpoint({
  repositories,
  authorizer,
  logger,
  auditChange = (_facts, work) => work(),
}: GitEndpointOptions): GitEndpoint {
  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    principal: Principal,
  ): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [, tenant = '', resource = ''] = pathPattern.exec(url.pathname) ?? [];
    // That of another tenant is not there.
    const access = tenant === principal.tenant ? repositories.get(tenant) : undefined;
    if (!access) throw new AppError('NOT_FOUND', { what: 'repository', id: url.pathname });
    const left = new AbortController();
    response.once('close', () => left.abort());
    const protocol = request.headers['git-protocol'];
    /** Throws FORBIDDEN; for a push, the check of what it may change where that is not everything. */
    const mayUse = (service: GitService) => {
      if (service === 'git-receive-pack') return authorizer?.pushCheck(principal);
      if (authorizer?.mayClone(principal) !== false) return undefined;
      const problem = `a clone holds all memories, and the role ${principal.role} may not read them all`;
      throw new AppError('FORBIDDEN', { problem });
    };
    const about = { protocol: typeof protocol === 'string' ? protocol : undefined, signal: left.signal };

    if (resource === 'info/refs') {
      requireMethod(request, 'GET');
      const service = serviceOf(url.searchParams.get('service'));
      mayUse(service);
      const refs = await access.advertise(service, about);
      const head = `# service=${service}\n`;
      const first = `${(head.length + 4).toString(16).padStart(4, '0')}${head}0000`;
      await send(response, `${service}-advertisement`, after(first, refs));
      return;
    }
    requireMethod(request, 'POST');
    const service = serviceOf(resource);
    if (request.headers['content-type'] !== `application/x-${service}-request`) {
      throw new AppError('INVALID_REQUEST', { problem: `the body must be application/x-${service}-request` });
    }
    const mayChange = mayUse(service);
    if (service === 'git-upload-pack') {
      await send(response, `${service}-result`, await access.fetch(bodyOf(request, maxFetchBytes), about));
    } else {
      const facts = { way: 'git', principal, action: service, target: url.pathname } as const;
      await auditChange(
        facts,
        async () => {
          let pushed: readonly RefAnswer[] = [];
          const onPushed = (refs: readonly RefAnswer[]) => void (pushed = refs);
          const body = bodyOf(request, maxPushBytes);
          await send(response, `${service}-result`, access.push(body, { ...about, onPushed, mayChange }));
          return pushed;
        },
        outcomeOfPush,
      );
      // What was refused early is read to its end, so that the client gets to read the answer.
      request.unpipe();
      request.resume();
    }
  }

  return async (request, response, principal) => {
    try {
      await serve(request, response, principal);
    } catch (error) {
      fail(request, response, error, logger);
    }
  };
}

/** Git answers 200 to a push that it does not take. */
function outcomeOfPush(refs: readonly RefAnswer[]) {
  const isTaken = refs.every(({ problem }) => problem === undefined);
  const told = refs.slice(0, 20).map(({ ref, problem }) => ({ ref: ref.slice(0, 200), problem }));
  return { outcome: isTaken ? ('ok' as const) : ('error' as const), details: { refs: told } };
}

function requireMethod(request: IncomingMessage, method: 'GET' | 'POST'): void {
  if (request.method === method) return;
  throw new AppError('INVALID_REQUEST', { problem: `this path takes ${method} only` });
}

function serviceOf(name: string | null): GitService {
  if (name === 'git-upload-pack' || name === 'git-receive-pack') return name;
  // Clients without the smart protocol ask for plain files.
  throw new AppError('FORBIDDEN', { problem: 'only the smart protocol of Git is served here' });
}

/** The body, unpacked where the client has packed it, at most so many bytes. */
function bodyOf(request: IncomingMessage, limitBytes: number): Readable {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'gzip' && encoding !== 'x-gzip' && encoding !== 'identity') {
    throw new AppError('INVALID_REQUEST', { problem: `the encoding ${encoding} is not known here` });
  }
  let bytes = 0;
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= limitBytes) done(null, chunk);
      else done(new AppError('PAYLOAD_TOO_LARGE', { what: 'the body', bytes, limitBytes }));
    },
  });
  const isPacked = encoding === 'gzip' || encoding === 'x-gzip';
  const feed = isPacked ? pipeline(request, createGunzip(), bounded) : pipeline(request, bounded);
  // Whoever reads the body gets the failure.
  feed.catch((error: unknown) => bounded.destroy(error as Error));
  return bounded;
}

async function* after(first: string, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.from(first);
  yield* rest;
}

async function send(response: ServerResponse, type: string, body: AsyncIterable<Buffer>): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  // A failure before the first byte still gets a status of its own.
  const first = await chunks.next();
  try {
    response.writeHead(200, {
      'content-type': `application/x-${type}`,
      'cache-control': 'no-cache, max-age=0, must-revalidate',
      expires: 'Fri, 01 Jan 1980 00:00:00 GMT',
      pragma: 'no-cache',
    });
    if (first.done === true) response.end();
    else await pipeline(Readable.from(before(first.value, chunks)), response);
  } finally {
    // When the client has gone, nobody else ends what makes the answer.
    await chunks.return?.();
  }
}

async function* before(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let chunk = await rest.next(); chunk.done !== true; chunk = await rest.next()) yield chunk.value;
}

/** Git shows plain text of an error to the person at the terminal. */
function fail(request: IncomingMessage, response: ServerResponse, thrown: unknown, logger: Logger): void {
  request.unpipe();
  request.resume();
  if (response.headersSent || response.destroyed) {
    logger.debug({ err: thrown }, 'a git client left, or its answer broke');
    response.destroy();
    return;
  }
  const error = toAppError(thrown);
  if (error.code === 'INTERNAL') logger.error({ id: error.id, err: error.cause }, 'git over HTTP failed');
  response
    .writeHead(errorTable[error.code].http, {
      'content-type': 'text/plain; charset=utf-8',
      connection: 'close',
    })
    .end(`${error.message}\n`);
}
