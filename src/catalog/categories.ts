/** The ten categories and their ports: 50 each, and 50 more in the extended range (instances 501 to 1,000). */

import { categoryNames, customCategory } from '../kernel/category-names.ts';
import { AppError } from '../kernel/errors.ts';

export interface Category {
  readonly name: string;
  readonly firstPort: number;
  readonly firstExtendedPort: number;
}

const portsPerRange = 50;

export const categories: readonly Category[] = categoryNames.map((name, index) => ({
  name,
  firstPort: 3100 + index * portsPerRange,
  firstExtendedPort: 3600 + index * portsPerRange,
}));

/** Curated servers that belong to no category, ports 4100 to 4109. */
export const coreCategory = 'core';
/** Servers of no category get ports from here up. */
const firstCustomPort = 4110;
const lastPort = 65_535;

/** True for the ten of the table, `core` and `custom`. */
export function isKnownCategory(name: string): boolean {
  return (
    name === coreCategory || name === customCategory || categories.some((category) => category.name === name)
  );
}

/** Every port of a category in the order instances take them. */
export function* portsOf(categoryName: string): Generator<number> {
  const category = categories.find((c) => c.name === categoryName);
  if (!category) {
    for (let port = firstCustomPort; port <= lastPort; port += 1) yield port;
    return;
  }
  for (const first of [category.firstPort, category.firstExtendedPort]) {
    for (let offset = 0; offset < portsPerRange; offset += 1) yield first + offset;
  }
}

/** Hands out each port once; `take` without a wish gives the category's next free one. */
export interface PortLedger {
  take(category: string, wish?: number): number | undefined;
  isFree(port: number): boolean;
  release(port: number): void;
}

export function createPortLedger(): PortLedger {
  const taken = new Set<number>();
  const cursors = new Map<string, Generator<number>>();
  const next = (category: string): number | undefined => {
    const cursor = cursors.get(category) ?? portsOf(category);
    cursors.set(category, cursor);
    for (;;) {
      const { value, done } = cursor.next();
      if (done === true) return undefined;
      if (!taken.has(value)) return value;
    }
  };
  return {
    take(category, wish) {
      if (wish !== undefined && taken.has(wish)) {
        throw new AppError('INVALID_INPUT', {
          field: 'port',
          problem: `${wish} is already another instance's port`,
        });
      }
      const port = wish ?? next(category);
      if (port !== undefined) taken.add(port);
      return port;
    },
    isFree: (port) => !taken.has(port),
    release(port) {
      taken.delete(port);
      cursors.clear();
    },
  };
}
