import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createContext } from '../../src/cli/context.ts';
import { createProgram } from '../../src/cli/program.ts';
import { startRestDouble } from './rest-double.ts';
import { useCommandLine } from './use-command-line.ts';

const cli = useCommandLine();

const run = (args: string[]) => cli.run(args);

describe('the coordinator', () => {
  it('is found through the data folder', async () => {
    await mkdir(join(cli.sandbox.project, '.git-memory'), { recursive: true });
    await writeFile(
      join(cli.sandbox.project, '.git-memory', 'coordinator.json'),
      JSON.stringify({ url: cli.double.url, pid: 1 }),
    );
    expect((await cli.sandbox.run(['memory', 'stats'])).code).toBe(0);
    await writeFile(join(cli.sandbox.project, '.git-memory', 'coordinator.json'), '{');
  });

  it('is found by an endpoint URL too, and missed with exit code 6', async () => {
    expect((await cli.sandbox.run(['memory', 'stats', '--url', `${cli.double.url}/mcp`])).code).toBe(0);
    const { code, stderr } = await cli.sandbox.run(['status', '--url', 'http://user:hunter2@127.0.0.1:1']);
    expect([code, stderr]).toEqual([
      6,
      'error COORDINATOR_NOT_RUNNING: no coordinator answers at http://127.0.0.1:1; start one with: git-memory-mcp start\n',
    ]);
  });

  it('is not mistaken for something else that listens', async () => {
    await using other = await startRestDouble({});
    const { code, stderr } = await cli.sandbox.run(['servers', 'list', '--url', other.url]);
    expect([code, stderr]).toEqual([4, 'error NOT_FOUND: route not found: GET /api/v1/servers\n']);
  });
});

describe('the command line', () => {
  it.each([
    [['strat'], "unknown command 'strat' (Did you mean start?)"],
    [['servers', 'lst'], "unknown command 'lst' (Did you mean list?)"],
    [['status', '--jsn'], "unknown option '--jsn' (Did you mean --json?)"],
    [['memory', 'store'], "missing required argument 'key'"],
    [['servers', 'logs', 'x', '--tail', '0'], '--tail: must be a whole number from 1 to 5000'],
    [['memory', 'list', '--scope', 'nowhere'], '--scope: must be shared'],
  ])('refuses %j with exit code 2', async (args, words) => {
    const { code, stdout, stderr } = await run([...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('gives every verb help with an example, and --json', () => {
    const verbs = createProgram(createContext(process)).commands.flatMap((command) =>
      command.commands.length > 0 ? command.commands : [command],
    );
    expect(verbs.length).toBeGreaterThan(30);
    const poor: string[] = [];
    for (const verb of verbs) {
      let help = '';
      verb.configureOutput({ writeOut: (text) => (help += text) });
      verb.outputHelp();
      if (!help.includes('Example:\n  git-memory-mcp ') || !help.includes('--json')) poor.push(verb.name());
    }
    expect(poor).toEqual([]);
  });

  it('prints help and version with exit code 0', async () => {
    expect(await run(['memory', 'store', '--help'])).toMatchObject({ code: 0, stderr: '' });
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
