/** A link's bearer token: got when it is needed, and anew ahead of its end while it is in use; one request for all who wait. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { LinkCredentials } from '../../kernel/link-credentials.ts';
import type { TokenSet } from './request-token.ts';

export type RefreshOutcome = 'ok' | 'error';

export interface TokenCredentialsOptions {
  readonly clock: Clock;
  /** The present one, where it was kept. */
  readonly first?: TokenSet | undefined;
  /** Another one in place of the former. */
  readonly get: (former: TokenSet | undefined, challenge: string | undefined) => Promise<TokenSet>;
  /** Hears how each request for one went. */
  readonly onRefresh?: ((outcome: RefreshOutcome) => void) | undefined;
}

export interface TokenCredentials extends LinkCredentials {
  /** When the present token ends, milliseconds since the epoch; undefined when there is none. */
  readonly endsAtMs: number | undefined;
}

/** It is got anew when so much of its time is over, a little sooner or later. */
const refreshAt = 0.75;
const jitter = 0.1;
/** After a failure, milliseconds. */
const retryMs = 5000;

export function createTokenCredentials({
  clock,
  first,
  get,
  onRefresh,
}: TokenCredentialsOptions): TokenCredentials {
  let tokens = first;
  let headers = headersOf(first);
  let refreshAtMs = first ? dueOf(first) : 0;
  let getting: Promise<void> | undefined;
  let isFresh = false;

  function headersOf(set: TokenSet | undefined): Readonly<Record<string, string>> {
    return set ? { authorization: `Bearer ${set.accessToken}` } : {};
  }

  function dueOf({ gotAtMs, endsAtMs }: TokenSet): number {
    return gotAtMs + (endsAtMs - gotAtMs) * (refreshAt + (Math.random() - 0.5) * jitter);
  }

  async function getOnce(challenge: string | undefined): Promise<void> {
    try {
      tokens = await get(tokens, challenge);
      headers = headersOf(tokens);
      refreshAtMs = dueOf(tokens);
      isFresh = true;
      onRefresh?.('ok');
    } catch (error) {
      refreshAtMs = clock.now() + retryMs;
      onRefresh?.('error');
      throw error;
    } finally {
      getting = undefined;
    }
  }

  const getAnother = (challenge?: string) => (getting ??= getOnce(challenge));

  return {
    get headers() {
      return headers;
    },
    get endsAtMs() {
      return tokens?.endsAtMs;
    },
    prepare() {
      const nowMs = clock.now();
      if (tokens && nowMs < refreshAtMs) return undefined;
      const getsOne = getAnother();
      if (!tokens || nowMs >= tokens.endsAtMs) return getsOne;
      // There is time: requests go on with the present one.
      getsOne.catch(() => {});
      return undefined;
    },
    async refused(challenge) {
      // A token that was got a moment ago is not the reason, unless the server wants another one now.
      const wants = challenge?.includes('insufficient_scope') === true;
      if (wants)
        throw new AppError('CREDENTIALS_REFUSED', {
          server: 'the server',
          problem: 'the scope is too small',
        });
      if (getting) await getting;
      else {
        if (isFresh && tokens && clock.now() - tokens.gotAtMs < retryMs) return false;
        await getAnother(challenge);
      }
      return true;
    },
  };
}
