/** What a person does after `init`: start, set the variables, paste the endpoint into each client. */

import { clients, type Reach } from '../../config/clients/clients.ts';
import type { CliContext } from '../context.ts';
import { styled } from '../output.ts';
import { defaultEntryName } from '../connect.ts';
import { ownCommand } from '../connect/find-client.ts';
import type { MovedSecret } from './take-over.ts';

/** The block for each client's config, by client name. */
export function pasteBlocks(reach: Reach): Record<string, unknown> {
  return Object.fromEntries(
    clients.map(({ name, rootKey, entry }) => [name, { [rootKey]: { [defaultEntryName]: entry(reach) } }]),
  );
}

/** Lines for the variables that secrets were moved to. */
export function secretLines(context: CliContext, secrets: readonly MovedSecret[]): string[] {
  if (secrets.length === 0) return [];
  return [
    '',
    styled(context, 'bold', 'Secrets were left where they are. Set these variables before start:'),
    ...secrets.map(({ variable, server, file }) => `  ${variable}  (for ${server}; its value is in ${file})`),
  ];
}

/** How to start and what to paste where. */
export function nextSteps(context: CliContext, reach: Reach, folder: string): string[] {
  const bold = (text: string) => styled(context, 'bold', text);
  const isHere = folder === context.cwd;
  const command = ownCommand(folder);
  return [
    '',
    bold('Start it:'),
    ...(isHere ? [] : [`  cd ${folder}`]),
    `  ${command} start`,
    '',
    bold(`Then connect a client (${command} connect <client>), or paste ${reach.url}:`),
    ...clients.flatMap(({ title, name, rootKey, entry }) => [
      `  ${title}  (connect ${name})`,
      `    ${JSON.stringify({ [rootKey]: { [defaultEntryName]: entry(reach) } })}`,
    ]),
  ];
}
