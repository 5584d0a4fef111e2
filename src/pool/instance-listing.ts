/** What an instance offers: as stored, as read from a fresh connection, and read again when the server says so. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import type { Listing, ListingStore } from '../catalog/listing.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Connection } from '../transport/connection.ts';
import { loadListing } from './load-listing.ts';
import { createRelist } from './relist.ts';

export interface InstanceListing {
  /** As far as it is admitted. */
  readonly current: Listing | undefined;
  /** Reads what a fresh connection offers. Rejects when the server answers no list. */
  onOpen(connection: Connection): Promise<void>;
  /** Takes what another instance of the same listing key has read meanwhile; true when there is something. */
  recall(): Promise<boolean>;
  /** The server said that a list changed. */
  changed(): void;
  /** What is admitted may have changed. */
  readmit(): void;
  /** Forgets that something is to be read again. */
  cancel(): void;
}

export interface InstanceListingOptions {
  readonly spec: InstanceSpec;
  readonly listings: ListingStore;
  /** Told of each listing that is new; answers what of it may be shown. */
  readonly admit?: ((spec: InstanceSpec, offered: Listing) => Listing) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default 100. */
  readonly relistDelayMs?: number | undefined;
  /** Any open connection. */
  readonly live: () => Connection | undefined;
  readonly onChange: () => void;
}

export async function createInstanceListing(options: InstanceListingOptions): Promise<InstanceListing> {
  const { spec, listings, clock, logger } = options;
  let listing = await listings.get(spec.listingKey);
  const admit = (offered: Listing): Listing => options.admit?.(spec, offered) ?? offered;
  let shown = listing && admit(listing);
  /** It said that its lists changed while none of its connections was open yet. */
  let isOld = false;

  async function read(connection: Connection): Promise<void> {
    const fresh = await loadListing(connection, spec.id);
    const changed = JSON.stringify(fresh) !== JSON.stringify(listing);
    listing = fresh;
    if (!changed) return;
    shown = admit(fresh);
    options.onChange();
    // Kept for the next start only: no reason to wait, and with a full disk none to do without the server now.
    void listings
      .put(spec.listingKey, fresh)
      .catch((error: unknown) =>
        logger.warn({ server: spec.id, problem: messageOf(error) }, 'could not keep what it offers'),
      );
  }

  const relist = createRelist({
    clock,
    delayMs: options.relistDelayMs ?? 100,
    async run() {
      const live = options.live();
      isOld = live === undefined;
      if (!live) return;
      await read(live).catch((error: unknown) =>
        logger.warn({ server: spec.id, problem: messageOf(error) }, 'relist failed'),
      );
    },
  });

  return {
    get current() {
      return shown;
    },
    async onOpen(connection) {
      // Instances that share a listing key are built from the same definition: the first one's answer serves all.
      if (spec.launch.kind !== 'in-process' || listing === undefined) await read(connection);
      if (isOld) relist.request();
    },
    async recall() {
      if (listing) return true;
      listing = await listings.get(spec.listingKey);
      if (!listing) return false;
      shown = admit(listing);
      options.onChange();
      return true;
    },
    changed: () => relist.request(),
    readmit() {
      shown = listing && admit(listing);
      options.onChange();
    },
    cancel: () => relist.cancel(),
  };
}
