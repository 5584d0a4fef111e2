/** What start, stop and restart have in common: one call an instance, then their new states. */

import type { ServerItem } from '../../contract/rest/server-routes.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions } from '../rest-command.ts';

/** Ends at the first instance that fails, with its error; those before it are done. */
export async function changeServers(
  route: 'serversStart' | 'serversStop' | 'serversRestart',
  ids: readonly string[],
  options: RestOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const items: ServerItem[] = [];
  try {
    for (const id of ids) items.push(await client.call(route, { params: { id } }));
  } finally {
    if (options.json === true && items.length === ids.length) printJson(context, { items });
    if (options.json !== true && items.length > 0) {
      printTable(context, items, [
        { title: 'ID', value: ({ id }) => id },
        { title: 'STATE', value: ({ state }) => state },
        { title: 'REASON', value: ({ reason }) => reason },
      ]);
    }
  }
}
