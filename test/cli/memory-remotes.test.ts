import { expect, it } from 'vitest';
import { AppError } from '../../src/kernel/errors.ts';
import { remote } from './coordinator-double.ts';
import { startRestDouble } from './rest-double.ts';
import { useCommandLine } from './use-command-line.ts';

const url = 'https://git.example.org/team/memory.git';
const row = { ...remote, name: 'team', source: 'added', url, state: 'new' } as const;
const credential = { env: 'GIT_MEMORY_REMOTE_TEAM' };

const cli = useCommandLine(() =>
  startRestDouble({
    remotesList: () => ({ remotes: [row] }),
    remotesAdd: () => ({ remotes: [row] }),
    remotesRemove: ({ params }) =>
      params['name'] === 'team'
        ? { removed: 'team', entry: { url, direction: 'push', everySeconds: 0, credential } }
        : new AppError('NOT_FOUND', { what: 'remote', id: params['name'] }),
  }),
);
const run = (...args: string[]) => cli.run(['memory', 'remotes', ...args]);

it('lists remotes in rows, or as JSON', async () => {
  expect(await run('list')).toMatchObject({
    code: 0,
    stdout: `team\tadded\tboth\tmain\tnew\t${url}\n`,
  });
  expect(JSON.parse((await run('list', '--json')).stdout)).toEqual({ remotes: [row] });
});

it('adds one, with a credential by its name only', async () => {
  const options = ['--direction', 'push', '--every', '0', '--credential', 'env:GIT_MEMORY_REMOTE_TEAM'];
  const added = await run('add', 'team', url, ...options);
  expect(added).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('memory sync team') });
  expect(cli.double.seen[0]?.body).toEqual({
    name: 'team',
    entry: { url, direction: 'push', everySeconds: 0, credential },
  });
  const literal = await run('add', 'team', url, '--credential', 'tok3n');
  expect([literal.code, literal.stderr]).toEqual([2, expect.stringContaining('must be env:NAME')]);
  expect(literal.stderr).not.toContain('tok3n');
  expect(cli.double.seen).toHaveLength(1);
});

it('removes one and says how to have it back', async () => {
  const removed = await run('remove', 'team');
  expect(removed.stderr).toContain(
    `git-memory-mcp memory remotes add team ${url} --direction push --every 0 --credential env:GIT_MEMORY_REMOTE_TEAM`,
  );
  expect(JSON.parse((await run('remove', 'team', '--json')).stdout)).toMatchObject({ removed: 'team' });
  expect((await run('remove', 'none')).code).toBe(4);
});

it.each([
  [['add'], 'name: is missing'],
  [['add', 'team'], 'url: is missing'],
  [['remove'], 'name: is missing'],
  [['add', 'team', url, '--every', 'soon'], '--every'],
  [['mend', 'team'], 'Allowed choices are list, add, remove'],
])('says what is wrong with %j', async (args, problem) => {
  const { code, stderr } = await run(...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(problem)]);
});
