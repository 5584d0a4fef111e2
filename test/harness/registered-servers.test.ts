/**
 * Many registered servers, each callable on demand: 300 in the suite, more with `REGISTERED=10000 npx vitest run
 * test/harness/registered-servers.test.ts`.
 */

import { expect, it } from 'vitest';
import type { ServerItem } from '../../src/contract/rest/server-routes.ts';
import { createRandom } from './random.ts';
import { startRegistered } from './registered-servers.ts';

const count = Number(process.env['REGISTERED'] ?? 300);
const called = 200;

it(
  `lists ${count} registered servers by page, and calls any of them`,
  async () => {
    await using servers = await startRegistered(count);
    const { coordinator, idOf, call } = servers;

    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ limit: '100', ...(cursor !== undefined && { cursor }) });
      const response = await fetch(`${coordinator.origin}/api/v1/servers?${query.toString()}`);
      const page = (await response.json()) as { items: ServerItem[]; nextCursor?: string };
      expect(page.items.length).toBeLessThanOrEqual(100);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(ids).toEqual(Array.from({ length: count }, (_, n) => idOf(n)));

    const random = createRandom(10);
    const chosen = Array.from({ length: called }, () => Math.floor(random() * count));
    const places = chosen.values();
    const caller = async (): Promise<void> => {
      for (const n of places) await call(n);
    };
    await Promise.all(Array.from({ length: 8 }, caller));
  },
  Math.max(60_000, count * 30),
);
