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

/** Why a guardrail wants something held back; `tool` is absent for the server's instructions. */
export interface Suspicion {
  readonly tool?: string;
  readonly guardrail: string;
  readonly rule: string;
  readonly field: string;
}

export interface PinStatus {
  readonly server: string;
  readonly state: 'unpinned' | 'approved' | 'quarantined' | 'reverted';
  /** Names that are neither listed nor called. */
  readonly held: readonly string[];
  readonly changes: readonly DefinitionChange[];
  /** Instructions that differ from the approved ones, which are shown. */
  readonly instructions?: { readonly before?: string | undefined; readonly after?: string | undefined };
  /** What guardrails say about what it offers, approved or not. */
  readonly suspicions?: readonly Suspicion[];
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
  /** What has to be held back until someone approves it, of any server. */
  readonly suspect?: (
    spec: InstanceSpec,
    tools: readonly JsonObject[],
    instructions: string | undefined,
  ) => readonly Suspicion[];
}

interface Offer {
  readonly tools: readonly JsonObject[];
  readonly instructions: string | undefined;
  readonly digest: string;
  readonly suspicions: readonly Suspicion[];
}

function offerOf({ tools, server }: Listing, suspicions: readonly Suspicion[]): Offer {
  const sorted = tools.toSorted((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1));
  const digest = hash('sha256', stableJson([sorted, server.instructions ?? null]), 'hex');
  return { tools, instructions: server.instructions, digest, suspicions };
}

/** What of an offer nobody has doubts about. */
function innocentOf({ tools, instructions, suspicions }: Offer): Approval {
  const suspects = new Set(suspicions.map(({ tool }) => tool));
  return {
    tools: tools.filter((tool) => !suspects.has(String(tool['name']))),
    instructions: suspects.has(undefined) ? undefined : instructions,
  };
}

/**
 * Of a server that is not pinned, what counts as approved: everything but what is suspect, and of that what someone
 * approved as it is now.
 */
function approvalOf(offer: Offer, approved: Approval | undefined): Approval {
  const innocent = innocentOf(offer);
  const known = new Map(approved?.tools.map((tool) => [tool['name'], tool]));
  const others = offer.tools.filter((tool) => {
    const same = known.get(tool['name']);
    return same && !innocent.tools.includes(tool) && isSameDefinition(same, tool);
  });
  const isTold = approved !== undefined && approved.instructions === offer.instructions;
  return {
    tools: [...innocent.tools, ...others],
    instructions: isTold ? offer.instructions : innocent.instructions,
  };
}

export function createPinGate({ approved, store, logger, suspect }: PinGateOptions): PinGate {
  const approvals = new Map(approved);
  const offers = new Map<string, Offer>();

  function judge(spec: InstanceSpec): PinStatus {
    const server = spec.id;
    const offer = offers.get(server);
    const approval = approvalFor(spec);
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
      ...(offer.suspicions.length > 0 && { suspicions: offer.suspicions }),
    };
  }

  function approvalFor({ id, pin }: InstanceSpec): Approval | undefined {
    const offer = offers.get(id);
    return pin === true || !offer ? approvals.get(id) : approvalOf(offer, approvals.get(id));
  }

  async function keep(server: string, approval: Approval): Promise<void> {
    await store.put(server, approval);
    approvals.set(server, approval);
  }

  function offerFrom(spec: InstanceSpec): Offer {
    if (spec.pin !== true && !offers.has(spec.id)) {
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
      const suspicions = suspect?.(spec, listing.tools, listing.server.instructions) ?? [];
      if (spec.pin !== true && suspicions.length === 0) {
        offers.delete(spec.id);
        return listing;
      }
      const offer = offerOf(listing, suspicions);
      const isNews = offers.get(spec.id)?.digest !== offer.digest;
      offers.set(spec.id, offer);
      if (spec.pin === true && !approvals.has(spec.id)) {
        const first = innocentOf(offer);
        approvals.set(spec.id, first);
        store.put(spec.id, first).catch((error: unknown) => {
          logger.error({ server: spec.id, problem: messageOf(error) }, 'could not keep what was approved');
        });
      }
      const approval = approvalFor(spec)!;
      const status = judge(spec);
      if (status.state === 'quarantined' && isNews) {
        const notice = { server: spec.id, held: status.held };
        logger.warn(notice, 'definitions differ from the approved ones and are held back');
      }
      return status.state === 'approved' ? listing : shownOf(listing, approval, status);
    },
    status: (spec) =>
      spec.pin === true || offers.has(spec.id)
        ? judge(spec)
        : { server: spec.id, state: 'unpinned', held: [], changes: [] },
    async approve(spec) {
      const { tools, instructions } = offerFrom(spec);
      await keep(spec.id, { tools, instructions });
      return judge(spec);
    },
    async revert(spec) {
      const { digest } = offerFrom(spec);
      // Of a server that is not pinned there is nothing to go back to: what is suspect stays out.
      if (spec.pin !== true) return judge(spec);
      const approval = approvals.get(spec.id);
      if (approval) await keep(spec.id, { ...approval, rejected: digest });
      return judge(spec);
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
