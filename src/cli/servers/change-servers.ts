/** What start, stop and restart have in common: one call an instance, then their new states. */

import type { CliContext } from '../context.ts';
import type { RestOptions } from '../rest-command.ts';
import { eachServer } from './each-server.ts';

/** Ends at the first instance that fails, with its error; those before it are done. */
export async function changeServers(
  route: 'serversStart' | 'serversStop' | 'serversRestart',
  ids: readonly string[],
  options: RestOptions,
  context: CliContext,
): Promise<void> {
  await eachServer(
    ids,
    (client, id) => client.call(route, { params: { id } }),
    [
      { title: 'ID', value: ({ id }) => id },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'REASON', value: ({ reason }) => reason },
    ],
    options,
    context,
  );
}
