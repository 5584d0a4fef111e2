/** One call a server, and a row for each that was done. */

import type { CliContext } from '../context.ts';
import { type Column, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions } from '../rest-command.ts';

type Client = Awaited<ReturnType<typeof connectRest>>;

/** Ends at the first server that refuses or fails, with its error; those before it are done and shown. */
export async function eachServer<Item>(
  ids: readonly string[],
  call: (client: Client, id: string) => Promise<Item>,
  columns: readonly Column<Item>[],
  options: RestOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const items: Item[] = [];
  try {
    for (const id of ids) items.push(await call(client, id));
  } finally {
    if (options.json === true && items.length === ids.length) printJson(context, { items });
    if (options.json !== true && items.length > 0) printTable(context, items, columns);
  }
}
