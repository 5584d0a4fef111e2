/**
 * The defence against a server that changes its tools after someone has looked at them: of a pinned server only
 * approved definitions are shown and called. What it offers first is approved.
 */

import { hash } from 'node:crypto';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import type { Logger } from '../../kernel/log.ts';
import { stableJson } from '../../kernel/stable-json.ts';
import type { InstanceSpec } from '../instance-spec.ts';
import type { Listing } from '../listing.ts';
import { type DefinitionChange, diffDefinitions, isSameDefinition } from './definition-diff.ts';

/** What was approved of a server. */
export interface Approval {
  readonly tools: readonly JsonObject[];
  readonly instructions?: string | undefined;
  /** Digest of an offer that was turned down: the approved definitions stay in force. */
  readonly rejected?: string | undefined;
}

/** Keeps approvals over restarts. */
export interface ApprovalStore {
  put(server: string, approval: Approval): Promise<void>;
}

export interface PinStatus {
  readonly server: string;
  readonly state: 'unpinned' | 'approved' | 'quarantined' | 'reverted';
  /** Names that are neither listed nor called. */
  readonly held: readonly string[];
  readonly changes: readonly DefinitionChange[];
  /** Instructions that differ from the approved ones, which are shown. */
  readonly instructions?: { readonly before?: string | undefined; readonly after?: string | undefined };
}

export interface PinGate {
  /** The listing as it may be shown: of a pinned server what is approved, with the names of what is held back. */
  admit(spec: InstanceSpec, offered: Listing): Listing;
  status(spec: InstanceSpec): PinStatus;
  /** Takes what a server offers now as approved. */
  approve(spec: InstanceSpec): Promise<PinStatus>;
  /** Turns down what a server offers now: the approved definitions are shown and called, new tools are not. */
  revert(spec: InstanceSpec): Promise<PinStatus>;
}

export interface PinGateOptions {
  readonly approved: ReadonlyMap<string, Approval>;
  readonly store: ApprovalStore;
  readonly logger: Logger;
}

interface Offer {
  readonly tools: readonly JsonObject[];
  readonly instructions: string | undefined;
  readonly digest: string;
}

function offerOf({ tools, server }: Listing): Offer {
  const sorted = tools.toSorted((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1));
  const digest = hash('sha256', stableJson([sorted, server.instructions ?? null]), 'hex');
  return { tools, instructions: server.instructions, digest };
}

export function createPinGate({ approved, store, logger }: PinGateOptions): PinGate {
  const approvals = new Map(approved);
  const offers = new Map<string, Offer>();

  function judge(server: string): PinStatus {
    const offer = offers.get(server);
    const approval = approvals.get(server);
    if (!offer || !approval) return { server, state: 'approved', held: [], changes: [] };
    const changes = diffDefinitions(approval.tools, offer.tools);
    const isReverted = approval.rejected === offer.digest;
    const held = changes
      .filter(({ kind }) => kind === 'added' || kind === 'renamed' || (kind === 'changed' && !isReverted))
      .map(({ tool }) => tool);
    const hasNewWords = approval.instructions !== offer.instructions;
    // A tool that is gone needs nobody's approval.
    const isPending = hasNewWords || changes.some(({ kind }) => kind !== 'removed');
    const state = isPending ? (isReverted ? 'reverted' : 'quarantined') : 'approved';
    return {
      server,
      state,
      held,
      changes,
      ...(hasNewWords && { instructions: { before: approval.instructions, after: offer.instructions } }),
    };
  }

  async function keep(server: string, approval: Approval): Promise<void> {
    await store.put(server, approval);
    approvals.set(server, approval);
  }

  function offerFrom(spec: InstanceSpec): Offer {
    if (spec.pin !== true) {
      const problem = `${spec.id} is not pinned; set pin: true in its entry`;
      throw new AppError('INVALID_INPUT', { field: 'id', problem });
    }
    const offer = offers.get(spec.id);
    if (offer) return offer;
    throw new AppError('UPSTREAM_UNAVAILABLE', {
      server: spec.id,
      problem: 'it has not said yet what it offers',
    });
  }

  return {
    admit(spec, listing) {
      if (spec.pin !== true) return listing;
      const offer = offerOf(listing);
      const isNews = offers.get(spec.id)?.digest !== offer.digest;
      offers.set(spec.id, offer);
      const approval = approvals.get(spec.id);
      if (!approval) {
        const first = { tools: offer.tools, instructions: offer.instructions };
        approvals.set(spec.id, first);
        store.put(spec.id, first).catch((error: unknown) => {
          logger.error({ server: spec.id, problem: messageOf(error) }, 'could not keep what was approved');
        });
        return listing;
      }
      const status = judge(spec.id);
      if (status.state === 'quarantined' && isNews) {
        const notice = { server: spec.id, held: status.held };
        logger.warn(notice, 'definitions differ from the approved ones and are held back');
      }
      return status.state === 'approved' ? listing : shownOf(listing, approval, status);
    },
    status: (spec) =>
      spec.pin === true ? judge(spec.id) : { server: spec.id, state: 'unpinned', held: [], changes: [] },
    async approve(spec) {
      const { tools, instructions } = offerFrom(spec);
      await keep(spec.id, { tools, instructions });
      return judge(spec.id);
    },
    async revert(spec) {
      const { digest } = offerFrom(spec);
      const approval = approvals.get(spec.id);
      if (approval) await keep(spec.id, { ...approval, rejected: digest });
      return judge(spec.id);
    },
  };
}

/** What a server offers, with approved definitions only. */
function shownOf(listing: Listing, approval: Approval, { state, held }: PinStatus): Listing {
  const approved = new Map(approval.tools.map((definition) => [definition['name'], definition]));
  const tools = listing.tools.flatMap((offered) => {
    const definition = approved.get(offered['name']);
    if (!definition) return [];
    return state === 'reverted' || isSameDefinition(definition, offered) ? [definition] : [];
  });
  const { instructions: _, ...server } = listing.server;
  const { instructions } = approval;
  return {
    ...listing,
    tools,
    held,
    server: { ...server, ...(instructions !== undefined && { instructions }) },
  };
}
