/** Requests to a token endpoint (RFC 6749, sections 3.2 and 5; resource indicators, RFC 8707). */

import { AppError } from '../../kernel/errors.ts';
import type { Authorization } from './find-authorization.ts';
import type { GuardedHttp } from './guarded-http.ts';

export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
}

/** Times are milliseconds since the epoch. */
export interface TokenSet {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  readonly gotAtMs: number;
  readonly endsAtMs: number;
}

/** Of a token endpoint that does not say how long its tokens live. */
const defaultLifeSeconds = 3600;

const formEncode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);

/** The client says who it is by Basic, or in the body where only that is supported; one without a secret only names itself. */
function asClient(
  { clientId, clientSecret }: OAuthClient,
  methods: readonly string[],
): { readonly headers: Record<string, string>; readonly fields: Record<string, string> } {
  if (clientSecret === undefined) return { headers: {}, fields: { client_id: clientId } };
  if (methods.includes('client_secret_post') && !methods.includes('client_secret_basic'))
    return { headers: {}, fields: { client_id: clientId, client_secret: clientSecret } };
  const pair = `${formEncode(clientId)}:${formEncode(clientSecret)}`;
  return { headers: { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` }, fields: {} };
}

/**
 * Asks for tokens. Throws CREDENTIALS_REFUSED where the grant is not good any more, and UPSTREAM_UNAVAILABLE or
 * UPSTREAM_PROTOCOL where that cannot be told.
 */
export async function requestToken(
  http: GuardedHttp,
  { tokenEndpoint, resource, authMethods }: Authorization,
  client: OAuthClient,
  grant: Readonly<Record<string, string | undefined>>,
  nowMs: number,
): Promise<TokenSet> {
  const { headers, fields } = asClient(client, authMethods);
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...grant, ...fields, resource }))
    if (value !== undefined) form.set(name, value);
  const { status, body } = await http(tokenEndpoint, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  });
  const server = new URL(tokenEndpoint).host;
  if (status !== 200) {
    const error = typeof body['error'] === 'string' ? body['error'].slice(0, 100) : '';
    const problem = `it answers ${status}${error === '' ? '' : ` ${error}`}`;
    throw new AppError(status < 500 ? 'CREDENTIALS_REFUSED' : 'UPSTREAM_UNAVAILABLE', { server, problem });
  }
  const {
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_in: seconds,
    token_type: type,
  } = body;
  if (
    typeof accessToken !== 'string' ||
    !/^[\x21-\x7e]+$/.test(accessToken) ||
    String(type).toLowerCase() !== 'bearer'
  )
    throw new AppError('UPSTREAM_PROTOCOL', { server, problem: 'its answer holds no bearer token' });
  const life = typeof seconds === 'number' && seconds > 0 ? seconds : defaultLifeSeconds;
  return {
    accessToken,
    refreshToken: typeof refreshToken === 'string' ? refreshToken : undefined,
    gotAtMs: nowMs,
    endsAtMs: nowMs + life * 1000,
  };
}
