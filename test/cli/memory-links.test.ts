import { expect, it } from 'vitest';
import { useCommandLine } from './use-command-line.ts';

const cli = useCommandLine();

it('prints links in a pipe, says what was left out, and gives JSON', async () => {
  const piped = await cli.run(['memory', 'links', 'a', '--depth', '2', '--direction', 'out']);
  expect(piped.stdout).toBe(
    '1\tout relation knows\tshared\tb\tBee\ta\n\tmissing wikilink\tshared\tgone\t\ta\n',
  );
  expect([piped.code, piped.stderr]).toEqual([0, '3 more left out; raise --max-tokens\n']);
  expect(cli.double.seen[0]?.body).toEqual({ key: 'a', depth: 2, direction: 'out', maxTokens: 10_000 });
  const json = await cli.run(['memory', 'links', 'a', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ omitted: 3 });
  expect((await cli.run(['memory', 'links', 'a', '--depth', '9'])).code).toBe(2);
});
