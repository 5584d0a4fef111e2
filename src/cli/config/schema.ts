/** `config schema`: the JSON schema for editors. */

import { Command } from 'commander';
import { configJsonSchema } from '../../config/schema.ts';
import type { CliContext } from '../context.ts';

/** The verb `config schema`. */
export function configSchemaCommand(context: CliContext): Command {
  return new Command('schema')
    .description('Print the JSON schema of the config file, for editors.')
    .option('--json', 'accepted for symmetry; the schema is JSON anyway')
    .addHelpText('after', '\nExample:\n  git-memory-mcp config schema > git-memory.schema.json')
    .action(() => {
      context.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    });
}
