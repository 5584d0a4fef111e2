/** What approve and revert have in common: one decision a server. */

import type { PinItem } from '../../contract/rest/pin-routes.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions } from '../rest-command.ts';

/** Ends at the first server that refuses, with its error; those before it are decided. */
export async function decidePins(
  route: 'serversApprove' | 'serversRevert',
  ids: readonly string[],
  options: RestOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const items: PinItem[] = [];
  try {
    for (const id of ids) items.push(await client.call(route, { params: { id } }));
  } finally {
    if (options.json === true && items.length === ids.length) printJson(context, { items });
    if (options.json !== true && items.length > 0) {
      printTable(context, items, [
        { title: 'ID', value: ({ server }) => server },
        { title: 'STATE', value: ({ state }) => state },
        { title: 'HELD BACK', value: ({ held }) => held.join(', ') },
      ]);
    }
  }
}
