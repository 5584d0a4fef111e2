import { expect, it } from 'vitest';
import { at, commit } from './coordinator-double.ts';
import { useCommandLine } from './use-command-line.ts';

const cli = useCommandLine();

const run = (...args: string[]) => cli.run(['memory', ...args]);

it('makes, lists, compares, merges and drops workspaces', async () => {
  const made = await run('workspace', 'create', 'try', '--from', 'snap:before');
  expect(made.stdout).toBe(`try\t2\t1\t3\t${commit.slice(0, 12)}\t${at}\tme\tstale\n`);
  const diff = await run('workspace', 'diff', 'try');
  expect([diff.stdout, diff.stderr]).toEqual([
    'added\tshared\tplan\tchanged too\n',
    '4 more are not shown\n',
  ]);
  const refused = await run('workspace', 'merge', 'try');
  expect([refused.code, refused.stderr]).toEqual([11, expect.stringContaining('shared/plan')]);
  const merged = await run('workspace', 'merge', 'try', '--strategy', 'theirs');
  expect(merged.stderr).toBe(`merged; main is at ${commit.slice(0, 12)}\nconflict (text): shared/plan\n`);
  const json = await run('workspace', 'drop', 'try', '--force', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ workspaces: [{ name: 'try' }] });
  expect(cli.double.seen.map(({ body }) => body)).toEqual([
    { action: 'create', name: 'try', from: 'snap:before' },
    { action: 'diff', name: 'try' },
    { action: 'merge', name: 'try' },
    { action: 'merge', name: 'try', strategy: 'theirs' },
    { action: 'drop', name: 'try', force: true },
  ]);
  expect((await run('workspace', 'list', 'x')).code).toBe(2);
  expect((await run('workspace', 'rename', 'x')).code).toBe(2);
});

it('works in one with --workspace', async () => {
  await run('store', 'a', '1', '--workspace', 'try');
  await run('retrieve', 'a', '--workspace', 'try');
  await run('list', '--workspace', 'try');
  await run('delete', 'a', '--workspace', 'try');
  await run('search', 'word', '--workspace', 'try');
  const named = cli.double.seen.map(({ query, body }) => ({ ...(query as object), ...(body as object) }));
  expect(named).toHaveLength(5);
  for (const input of named) expect(input).toMatchObject({ workspace: 'try' });
});
