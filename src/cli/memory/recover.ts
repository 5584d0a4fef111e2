/** `memory recover`: a data folder out of a backup or a clone, while no coordinator runs on it. */

import { Command } from 'commander';
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts';
import { resolveBackup } from '../../config/resolve-backup.ts';
import { resolveReference } from '../../config/resolve-secrets.ts';
import { AppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { note, printFacts, printJson } from '../output.ts';

interface RecoverOptions {
  readonly from: string;
  readonly data?: string;
  readonly to?: string;
  readonly replace?: boolean;
  readonly keyEnv?: string;
  readonly keyFile?: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** The verb `memory recover`. */
export function memoryRecoverCommand(context: CliContext): Command {
  return new Command('recover')
    .description('Make the memory of a data folder anew from a backup, or from any clone of its repository.')
    .requiredOption(
      '--from <source>',
      'folder of backups, one backup in it, s3://bucket/prefix, or a clone: path, bundle or URL',
    )
    .option('--data <folder>', 'data folder to fill (default .git-memory)')
    .option('--to <backup>', 'id of the backup to go back to (default: the newest usable one)')
    .option('--replace', 'move a data folder that is not empty aside; it is kept')
    .option('--key-env <name>', 'environment variable that holds the encryption key')
    .option('--key-file <file>', 'file that holds the encryption key')
    .option('--endpoint <url>', 'address of an S3-compatible store')
    .option('--region <region>', 'region of the bucket')
    .option(
      '--config <file>',
      'config file; its memory.backup says how to read the source, unless options do',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Example:
  git-memory-mcp memory recover --from ../git-memory-backups --replace

Keys of a bucket come from the config, else from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.`,
    )
    .action((options: RecoverOptions) => runMemoryRecover(options, context));
}

async function runMemoryRecover(options: RecoverOptions, context: CliContext): Promise<void> {
  const loaded = await loadConfig({
    env: context.env,
    cwd: context.cwd,
    flags: { dataDir: options.data },
    ...(options.config !== undefined && { file: options.config }),
  });
  const { access, encryptionKey } = await readAccess(options, loaded, context);
  // Loaded here, so that the other verbs start without the engine.
  const { recoverMemory } = await import('../../memory/backup/recover.ts');
  const done = await recoverMemory({
    from: options.from,
    backupId: options.to,
    dataDir: loaded.config.dataDir,
    replace: options.replace === true,
    access,
    encryptionKey,
    onStep: (step) => {
      if (context.stderr.isTTY) note(context, step);
    },
  });
  if (options.json === true) {
    printJson(context, { dataDir: loaded.config.dataDir, ...done });
    return;
  }
  printFacts(context, {
    'data folder': loaded.config.dataDir,
    backup: done.id,
    'state of': done.at,
    head: done.head ?? 'none yet',
    commits: done.commits,
    'from the journal': done.waiting,
    'former folder': done.replaced,
    copied: done.copied.length > 0 ? done.copied.join(', ') : undefined,
    seconds: done.seconds,
  });
}

/** How to read the source: options, then the config, then what AWS's own tools read. */
async function readAccess(options: RecoverOptions, loaded: LoadedConfig, { env, cwd }: CliContext) {
  // The references of a bucket that is not asked for need not be there.
  const isBucket = options.from.startsWith('s3://');
  const hasKey = options.keyEnv !== undefined || options.keyFile !== undefined;
  const { backup } = loaded.config.memory;
  const { credentials: _, encryptionKey: __, ...plain } = backup ?? {};
  const wanted = backup && {
    ...plain,
    to: backup.to,
    keep: backup.keep,
    region: backup.region,
    ...(isBucket && { credentials: backup.credentials }),
    ...(!hasKey && { encryptionKey: backup.encryptionKey }),
  };
  const memory = { ...loaded.config.memory, backup: wanted };
  const resolved = await resolveBackup({ ...loaded, config: { ...loaded.config, memory } }, env);
  const source = { env, baseDir: cwd };
  const reference = options.keyEnv !== undefined ? { env: options.keyEnv } : { file: options.keyFile ?? '' };
  const key = hasKey ? await resolveReference(reference, '--key', source) : resolved?.encryptionKey;
  const credentials = isBucket ? (resolved?.credentials ?? awsCredentials(env)) : undefined;
  const endpoint = options.endpoint ?? resolved?.endpoint ?? env['AWS_ENDPOINT_URL'];
  const region = options.region ?? (resolved ? resolved.region : env['AWS_REGION']);
  return { access: { endpoint, region, credentials }, encryptionKey: key };
}

function awsCredentials(env: CliContext['env']) {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env;
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey, sessionToken };
  const problem =
    'is a bucket: set credentials in memory.backup, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  throw new AppError('INVALID_INPUT', { field: '--from', problem });
}
