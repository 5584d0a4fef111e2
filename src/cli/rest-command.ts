/** The frame of every verb that asks a running coordinator. */

import { Command } from 'commander';
import type { CliContext } from './context.ts';
import { findCoordinator, type WhereOptions } from './find-coordinator.ts';
import { createRestClient, type RestClient } from './rest-client.ts';

/** Options of every verb that asks a coordinator. */
export interface RestOptions extends WhereOptions {
  readonly json?: boolean;
}

/** A command with the options that all of them share and an example in its help. */
export function restCommand(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .option(
      '--url <url>',
      'endpoint of the coordinator (default: the one of the data folder, else http://127.0.0.1:3000)',
    )
    .option('--data <folder>', 'data folder of the coordinator (default .git-memory)')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  git-memory-mcp ${example}`);
}

/** A client of the coordinator that the options point to. */
export async function connectRest(options: RestOptions, context: CliContext): Promise<RestClient> {
  const found = await findCoordinator(options, context);
  return createRestClient(found.url, found);
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

const pageSize = 500;

/** Walks the pages of a list until `limit` items are there or it ends. */
export async function collectPages<Item>(
  limit: number,
  fetchPage: (page: { cursor?: string; limit: number }) => Promise<Page<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const wanted = Math.min(pageSize, limit - items.length);
    const page = await fetchPage({ limit: wanted, ...(cursor !== undefined && { cursor }) });
    items.push(...page.items);
    cursor = page.nextCursor === cursor ? undefined : page.nextCursor;
  } while (cursor !== undefined && items.length < limit);
  return items.slice(0, limit);
}
