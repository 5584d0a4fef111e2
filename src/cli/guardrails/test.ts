/** `guardrails test <file>`: what the guardrails of a config find in a file; no coordinator is asked. */

import type { Command } from 'commander';
import type { Guardrails } from '../../guardrails/compile-guardrails.ts';
import type { Found, inspectValue } from '../../guardrails/inspect-value.ts';
import { AppError } from '../../kernel/errors.ts';
import type {
  GuardrailDirection,
  GuardrailSettings,
  GuardrailsSettings,
} from '../../kernel/guardrail-options.ts';
import { jsonObject, readInput } from '../arguments.ts';
import { configCommand, type ConfigOptions, loadFor } from '../config/config-command.ts';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';

interface TestOptions extends ConfigOptions {
  readonly all?: true;
  readonly server?: string;
  readonly tool?: string;
}

/** The verb `guardrails test`. */
export function guardrailsTestCommand(context: CliContext): Command {
  return configCommand(
    'test',
    'Run the guardrails of the config over a file, and print what they find.',
    `guardrails test call.json --all
  git-memory-mcp tools list --json | git-memory-mcp guardrails test - --all`,
  )
    .argument(
      '<file>',
      'JSON with any of `arguments`, `result` and `tools` (definitions); - is standard input',
    )
    .option('--all', 'with all guardrails, those that are off as well')
    .option('--server <id>', 'as if it were from this server', '')
    .option('--tool <name>', 'as if it were of this tool', '')
    .action((file: string, options: TestOptions) => runGuardrailsTest(file, options, context));
}

/** Those that are off count what they find. */
function allOn(settings: GuardrailsSettings): GuardrailsSettings {
  const on = <S extends GuardrailSettings>(one: S): S =>
    one.action === 'off' ? { ...one, action: 'allow' } : one;
  return {
    secretLeak: on(settings.secretLeak),
    personalData: on(settings.personalData),
    injection: on(settings.injection),
    sizeAndDepth: on(settings.sizeAndDepth),
    pathsAndUrls: on(settings.pathsAndUrls),
    custom: Object.fromEntries(Object.entries(settings.custom).map(([name, one]) => [name, on(one)])),
  };
}

interface Row {
  readonly direction: GuardrailDirection;
  readonly tool: string;
  readonly guardrail: string;
  readonly rule: string;
  readonly field: string;
  readonly count: number;
  readonly action: string;
}

function findingsIn(
  input: Readonly<Record<string, unknown>>,
  guardrails: Guardrails,
  { server = '', tool = '' }: TestOptions,
  inspect: typeof inspectValue,
): Row[] {
  function look(value: unknown, direction: GuardrailDirection, name: string, root: string): Row[] {
    const found = inspect(value, guardrails.watchesOf(server, name, direction), direction, root)?.found ?? [];
    return found.map(({ watch, rule, field, count }: Found) => ({
      direction,
      tool: name,
      guardrail: watch.guardrail.name,
      rule,
      field,
      count,
      action: watch.action,
    }));
  }
  const tools = input['tools'] ?? input['items'];
  const definitions: unknown[] = Array.isArray(tools) ? tools : [];
  return [
    ...(input['arguments'] === undefined ? [] : look(input['arguments'], 'arguments', tool, 'arguments')),
    ...(input['result'] === undefined ? [] : look(input['result'], 'results', tool, '')),
    ...definitions.flatMap((one) => {
      const name = typeof one === 'object' && one !== null && 'name' in one ? String(one.name) : '';
      return look(one, 'definitions', name, '');
    }),
  ];
}

async function runGuardrailsTest(file: string, options: TestOptions, context: CliContext): Promise<void> {
  const { config } = await loadFor(options, context);
  // Loaded here, so that the other verbs start without them.
  const { compileGuardrails } = await import('../../guardrails/compile-guardrails.ts');
  const { inspectValue: inspect } = await import('../../guardrails/inspect-value.ts');
  const guardrails = compileGuardrails(options.all === true ? allOn(config.guardrails) : config.guardrails);
  const input = jsonObject(await readInput(file, context, 'file'), 'file');
  if (!['arguments', 'result', 'tools', 'items'].some((member) => member in input)) {
    throw new AppError('INVALID_INPUT', {
      field: 'file',
      problem: 'has none of `arguments`, `result` and `tools`',
    });
  }
  const items = findingsIn(input, guardrails, options, inspect);
  if (options.json === true) {
    printJson(context, { items });
    return;
  }
  printTable(context, items, [
    { title: 'GUARDRAIL', value: ({ guardrail }) => guardrail },
    { title: 'RULE', value: ({ rule }) => rule },
    { title: 'TOOL', value: ({ tool }) => tool },
    { title: 'FIELD', value: ({ field }) => field },
    { title: 'COUNT', value: ({ count }) => count },
    { title: 'ACTION', value: ({ action }) => action },
  ]);
  if (items.length === 0) note(context, 'nothing found');
}
