import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCoordinatorDouble } from './coordinator-double.ts';
import type { RestDouble } from './rest-double.ts';
import { createSandbox, type Sandbox } from './run-command.ts';

let double: RestDouble;
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await createSandbox();
  double = await startCoordinatorDouble();
});

afterAll(async () => {
  await double?.[Symbol.asyncDispose]();
  await sandbox?.[Symbol.asyncDispose]();
});

it('prints links in a pipe, says what was left out, and gives JSON', async () => {
  const env = { GIT_MEMORY_MCP_URL: double.url };
  const piped = await sandbox.run(['memory', 'links', 'a', '--depth', '2', '--direction', 'out'], { env });
  expect(piped.stdout).toBe(
    '1\tout relation knows\tshared\tb\tBee\ta\n\tmissing wikilink\tshared\tgone\t\ta\n',
  );
  expect([piped.code, piped.stderr]).toEqual([0, '3 more left out; raise --max-tokens\n']);
  expect(double.seen[0]?.body).toEqual({ key: 'a', depth: 2, direction: 'out', maxTokens: 10_000 });
  const json = await sandbox.run(['memory', 'links', 'a', '--json'], { env });
  expect(JSON.parse(json.stdout)).toMatchObject({ omitted: 3 });
  expect((await sandbox.run(['memory', 'links', 'a', '--depth', '9'], { env })).code).toBe(2);
});
