/** What approve and revert have in common: one decision a server. */

import type { CliContext } from '../context.ts';
import type { RestOptions } from '../rest-command.ts';
import { eachServer } from './each-server.ts';

/** Ends at the first server that refuses, with its error; those before it are decided. */
export async function decidePins(
  route: 'serversApprove' | 'serversRevert',
  ids: readonly string[],
  options: RestOptions,
  context: CliContext,
): Promise<void> {
  await eachServer(
    ids,
    (client, id) => client.call(route, { params: { id } }),
    [
      { title: 'ID', value: ({ server }) => server },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'HELD BACK', value: ({ held }) => held.join(', ') },
    ],
    options,
    context,
  );
}
