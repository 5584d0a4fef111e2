/**
 * Notes requests that were turned away at the door. The first of a kind is noted at once, what follows within a second as
 * one record with their number: whoever is not let in must not fill the disk either.
 */

import type { AuditTrail } from '../../kernel/audit.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Principal } from '../../kernel/principal.ts';

export interface Refusal {
  readonly code: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly principal?: Principal | undefined;
  /** Address that it came from. */
  readonly from?: string | undefined;
}

export interface RefusalNotes extends Disposable {
  note(refusal: Refusal): void;
}

const windowMs = 1000;
/** Kinds told apart within a second; the rest counts as one. */
const maxKinds = 200;

export function createRefusalNotes(trail: Pick<AuditTrail, 'note'>, clock: Clock): RefusalNotes {
  let kinds = new Map<string, { last: Refusal; more: number }>();
  let cancel: (() => void) | undefined;

  function write({ code, method, path, principal, from }: Refusal, times?: number): void {
    trail.note({
      atMs: clock.now(),
      latencyMs: 0,
      way: 'door',
      principal,
      action: method,
      target: path,
      outcome: 'refused',
      code,
      ...((from !== undefined || times !== undefined) && {
        details: { ...(from !== undefined && { from }), ...(times !== undefined && { times }) },
      }),
    });
  }

  function endWindow(): void {
    cancel?.();
    cancel = undefined;
    const told = kinds;
    kinds = new Map();
    for (const { last, more } of told.values()) if (more > 0) write(last, more);
  }

  return {
    note(refusal) {
      const { code, principal, from = '' } = refusal;
      const kind = `${code} ${principal?.tenant ?? ''} ${principal?.id ?? ''} ${from}`;
      const known = kinds.get(kind) ?? (kinds.size < maxKinds ? undefined : kinds.get('rest'));
      cancel ??= clock.after(windowMs, endWindow);
      if (known) {
        known.more += 1;
        known.last = refusal;
        return;
      }
      kinds.set(kinds.size < maxKinds ? kind : 'rest', { last: refusal, more: 0 });
      write(refusal);
    },
    [Symbol.dispose]: endWindow,
  };
}
