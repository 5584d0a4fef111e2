/** `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): lists of RFC 9651, one member a limit. */

import type { ServerResponse } from 'node:http';
import { isAppError } from '../kernel/errors.ts';
import type { LimitWindow, Standing } from '../kernel/rate-limits.ts';

/** Units other than requests; a month is that long at least, in seconds. */
const windows: Record<LimitWindow, string> = {
  second: ';w=1',
  hour: ';w=3600',
  month: ';w=2592000',
  concurrency: ';qu="concurrent-requests"',
};

/** The largest integer of RFC 9651 has fifteen digits; ours are smaller. Quotas below one request are told as one. */
function integer(value: number): number {
  return Math.max(0, Math.round(value));
}

/** Names of rules hold nothing that a quoted string would have to escape. */
function nameOf({ rule, window }: Pick<Standing, 'rule' | 'window'>): string {
  return `"${rule}-${window}"`;
}

export function policyField(standings: readonly Standing[]): string {
  return standings
    .map(
      (standing) =>
        `${nameOf(standing)};q=${Math.max(1, integer(standing.limit))}${windows[standing.window]}`,
    )
    .join(', ');
}

export function limitField(standings: readonly Standing[]): string {
  return standings
    .map((standing) => {
      const reset = standing.resetMs > 0 ? `;t=${Math.ceil(standing.resetMs / 1000)}` : '';
      return `${nameOf(standing)};r=${integer(standing.remaining)}${reset}`;
    })
    .join(', ');
}

/** Sets both, where there is anything to tell and still time to. */
export function tellStandings(response: ServerResponse, standings: readonly Standing[]): void {
  if (standings.length === 0 || response.headersSent) return;
  response.setHeader('ratelimit-policy', policyField(standings));
  response.setHeader('ratelimit', limitField(standings));
}

/** Sets both by the limit that an error is about. */
export function tellLimit(response: ServerResponse, thrown: unknown): void {
  if (isAppError(thrown, 'RATE_LIMITED') && 'window' in thrown.data && thrown.data['window'] !== 'minute')
    tellStandings(response, [thrown.data as unknown as Standing]);
}
