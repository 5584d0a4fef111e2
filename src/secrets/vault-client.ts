/**
 * A client of Vault and OpenBao over their HTTP API: KV version 2, transit, log-in by token or AppRole. Its token is
 * renewed ahead of time, and got anew when it is not good any more.
 */

import { Agent, request } from 'undici';
import type { Clock } from '../kernel/clock.ts';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import type { Logger } from '../kernel/log.ts';
import type { VaultPlace } from '../kernel/secret-access.ts';

export interface VaultOptions {
  readonly address: string;
  readonly namespace?: string | undefined;
  readonly mount: string;
  readonly transitMount: string;
  /** Certificates in PEM that it is checked by; those of the system when absent. */
  readonly ca?: string | undefined;
  /** Read at each log-in, as they may have been changed. */
  readonly logIn:
    | { readonly kind: 'token'; token(): Promise<string> }
    | {
        readonly kind: 'app-role';
        readonly mount: string;
        roleId(): Promise<string>;
        secretId(): Promise<string>;
      };
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears of renewals: how they went. */
  readonly onRenewal?: ((outcome: 'ok' | 'error') => void) | undefined;
}

export interface Vault extends AsyncDisposable {
  /** A field of the newest version. Throws NOT_FOUND, and UPSTREAM_UNAVAILABLE where the vault does not answer or refuses. */
  read(place: VaultPlace): Promise<string>;
  encrypt(key: string, plain: Buffer): Promise<string>;
  decrypt(key: string, ciphertext: string): Promise<Buffer>;
}

interface Token {
  readonly text: string;
  /** Of its clock; Infinity for one that lives on. */
  readonly endsAtMs: number;
  readonly isRenewable: boolean;
}

const maxBodyBytes = 4 * 1024 * 1024;
/** A token is renewed when so much of its time is over. */
const renewAt = 2 / 3;
const leastRenewMs = 1000;
/** Timers cannot wait longer. */
const mostRenewMs = 2 ** 31 - 1;

const unavailable = (problem: string) => new AppError('UPSTREAM_UNAVAILABLE', { server: 'vault', problem });

function pathOf(text: string): string {
  const parts = text.split('/').filter((part) => part !== '');
  if (parts.length === 0 || parts.some((part) => part === '.' || part === '..'))
    throw new AppError('INVALID_INPUT', { field: 'vault.path', problem: 'must be names between slashes' });
  return parts.map(encodeURIComponent).join('/');
}

function objectIn(value: unknown, key: string): JsonObject {
  const found = isJsonObject(value) ? value[key] : undefined;
  return isJsonObject(found) ? found : {};
}

export function createVault(options: VaultOptions): Vault {
  const { address, namespace, logIn, timeoutMs, clock, logger } = options;
  const agent = new Agent({ connect: { ...(options.ca !== undefined && { ca: options.ca }) } });
  let token: Promise<Token> | undefined;
  let cancelRenewal = (): void => {};

  async function send(
    method: 'GET' | 'POST',
    path: string,
    tokenText: string | undefined,
    body?: JsonObject,
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const headers = {
      'x-vault-request': 'true',
      ...(tokenText !== undefined && { 'x-vault-token': tokenText }),
      ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
      ...(body && { 'content-type': 'application/json' }),
    };
    try {
      const answer = await request(new URL(`/v1/${path}`, address), {
        method,
        headers,
        dispatcher: agent,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal: AbortSignal.timeout(timeoutMs),
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await answer.body.text();
      if (text.length > maxBodyBytes) throw unavailable('its answer is too large');
      return { status: answer.statusCode, body: text === '' ? {} : JSON.parse(text) };
    } catch (error) {
      if (isAppError(error)) throw error;
      const code = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
      throw unavailable(error instanceof SyntaxError ? 'its answer is no JSON' : code);
    }
  }

  /** What it says when it refuses; never what was sent. */
  function refusal(status: number, body: unknown): AppError {
    const errors = isJsonObject(body) && Array.isArray(body['errors']) ? body['errors'] : [];
    const said = errors
      .filter((one) => typeof one === 'string')
      .join('; ')
      .slice(0, 300);
    return unavailable(`it answers ${status}${said === '' ? '' : `: ${said}`}`);
  }

  function tokenFrom(auth: JsonObject): Token {
    const { client_token: text, lease_duration: seconds, renewable } = auth;
    if (typeof text !== 'string' || text === '') throw unavailable('its answer holds no token');
    const lives = typeof seconds === 'number' && seconds > 0;
    return {
      text,
      endsAtMs: lives ? clock.now() + seconds * 1000 : Infinity,
      isRenewable: renewable === true,
    };
  }

  async function newToken(): Promise<Token> {
    if (logIn.kind === 'token') {
      const text = await logIn.token();
      const { status, body } = await send('GET', 'auth/token/lookup-self', text);
      if (status !== 200) throw refusal(status, body);
      const { ttl, renewable } = objectIn(body, 'data');
      return tokenFrom({ client_token: text, lease_duration: ttl, renewable });
    }
    const { status, body } = await send('POST', `auth/${pathOf(logIn.mount)}/login`, undefined, {
      role_id: await logIn.roleId(),
      secret_id: await logIn.secretId(),
    });
    if (status !== 200) throw refusal(status, body);
    return tokenFrom(objectIn(body, 'auth'));
  }

  async function renewed(former: Token): Promise<Token> {
    const { status, body } = await send('POST', 'auth/token/renew-self', former.text, {});
    if (status !== 200) throw refusal(status, body);
    return tokenFrom(objectIn(body, 'auth'));
  }

  function keep(making: Promise<Token>): Promise<Token> {
    token = making;
    cancelRenewal();
    making.then(
      (made) => token === making && scheduleRenewal(made),
      () => token === making && (token = undefined),
    );
    return making;
  }

  /** At two thirds of its time, a little sooner or later for each of us. */
  function scheduleRenewal(made: Token): void {
    if (made.endsAtMs === Infinity) return;
    const inMs = (made.endsAtMs - clock.now()) * renewAt * (0.9 + Math.random() * 0.1);
    cancelRenewal = clock.after(Math.min(mostRenewMs, Math.max(leastRenewMs, inMs)), () => {
      const renewing = made.isRenewable ? renewed(made).catch(newToken) : newToken();
      keep(renewing).then(
        () => options.onRenewal?.('ok'),
        (error: unknown) => {
          options.onRenewal?.('error');
          logger.warn({ problem: messageOf(error) }, 'the token of the vault could not be renewed');
        },
      );
    });
  }

  /** Asks with our token; once more with a new one when it is refused, as tokens are taken back. */
  async function ask(method: 'GET' | 'POST', path: string, body?: JsonObject): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      const used = token ?? keep(newToken());
      const answer = await send(method, path, (await used).text, body);
      if (answer.status === 200) return answer.body;
      if (answer.status === 404) throw new AppError('NOT_FOUND', { what: 'secret of the vault', id: path });
      if (answer.status !== 403 || attempt > 1) throw refusal(answer.status, answer.body);
      if (token === used) token = undefined;
    }
  }

  return {
    async read({ path, field, mount = options.mount }) {
      const body = await ask('GET', `${pathOf(mount)}/data/${pathOf(path)}`);
      const value = objectIn(objectIn(body, 'data'), 'data')[field];
      if (value === undefined || value === null)
        throw new AppError('NOT_FOUND', { what: 'field of a secret of the vault', id: `${path} ${field}` });
      return typeof value === 'string' ? value : JSON.stringify(value);
    },
    async encrypt(key, plain) {
      const path = `${pathOf(options.transitMount)}/encrypt/${pathOf(key)}`;
      const { ciphertext } = objectIn(
        await ask('POST', path, { plaintext: plain.toString('base64') }),
        'data',
      );
      if (typeof ciphertext !== 'string') throw unavailable('its answer holds no ciphertext');
      return ciphertext;
    },
    async decrypt(key, ciphertext) {
      const path = `${pathOf(options.transitMount)}/decrypt/${pathOf(key)}`;
      const { plaintext } = objectIn(await ask('POST', path, { ciphertext }), 'data');
      if (typeof plaintext !== 'string') throw unavailable('its answer holds no plaintext');
      return Buffer.from(plaintext, 'base64');
    },
    async [Symbol.asyncDispose]() {
      cancelRenewal();
      token = undefined;
      await agent.destroy();
    },
  };
}
