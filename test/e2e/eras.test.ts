import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answers, connectV2, textOf } from './connect-client.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';
import { type HttpFixture, startHttpFixture, stdioFixture } from './start-fixture.ts';

const answers: Answers = {
  elicit: (message) =>
    message.includes('color')
      ? { color: 'green' }
      : { name: 'Malee', ok: true, username: 'malee', email: 'm@example.org' },
  sample: (prompt) => `model heard: ${prompt}`,
  roots: [{ uri: 'file:///work/งาน', name: 'งาน' }],
};

let httpLegacy: HttpFixture;
let httpModern: HttpFixture;
let coordinator: RunningCoordinator;

beforeAll(async () => {
  [httpLegacy, httpModern] = await Promise.all([startHttpFixture('legacy'), startHttpFixture('modern')]);
  coordinator = await startCoordinator({
    mcpServers: {
      'stdio-legacy': stdioFixture('legacy'),
      'stdio-modern': stdioFixture('modern'),
      'http-legacy': httpLegacy.entry,
      'http-modern': httpModern.entry,
    },
  });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await httpLegacy?.[Symbol.asyncDispose]();
  await httpModern?.[Symbol.asyncDispose]();
});

const cells = (['legacy', 'modern'] as const).flatMap((client) =>
  ['stdio-legacy', 'stdio-modern', 'http-legacy', 'http-modern'].map(
    (upstream) => [client, upstream] as const,
  ),
);

describe.each(cells)('%s client on a %s upstream', (era, upstream) => {
  /** The text a tool ends with after the client answered what it was asked. */
  async function call(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const client = await connectV2(coordinator.url, era, answers);
    try {
      expect(client.getProtocolEra()).toBe(era);
      return textOf(await client.callTool({ name: `${upstream}__${name}`, arguments: args }));
    } finally {
      await client.close();
    }
  }

  it('elicits', async () => {
    expect(await call('test_elicitation', { message: 'Who are you?' })).toBe(
      'User response: action=accept, content={"name":"Malee","ok":true,"username":"malee","email":"m@example.org"}',
    );
  });

  it('samples', async () => {
    expect(await call('test_sampling', { prompt: 'สวัสดี' })).toBe('LLM response: model heard: สวัสดี');
  });

  it('lists roots', async () => {
    expect(JSON.parse((await call('test_list_roots')).slice('roots: '.length))).toEqual(answers.roots);
  });

  it('asks three things at once', async () => {
    expect(await call('test_input_required_result_multiple_inputs')).toBe(
      'Malee; LLM response: model heard: Generate a greeting; 1 roots',
    );
  });

  it('asks twice, with state in between', async () => {
    expect(await call('test_input_required_result_multi_round')).toBe('Malee likes green');
  });

  it('asks before it gives a prompt', async () => {
    const client = await connectV2(coordinator.url, era, { elicit: () => ({ context: 'a harbour' }) });
    const prompt = await client.getPrompt({ name: `${upstream}__test_input_required_result_prompt` });
    expect(prompt.messages[0]?.content).toEqual({ type: 'text', text: 'Use this context: a harbour' });
    await client.close();
  });

  it('asks each of several clients at once its own question', async () => {
    const names = ['Anan', 'Boonsri', 'Chai'];
    const clients = await Promise.all(
      names.map((name) => connectV2(coordinator.url, era, { elicit: () => ({ name }) })),
    );
    const name = `${upstream}__test_input_required_result_elicitation`;
    const texts = await Promise.all(
      clients.map((client) => client.callTool({ name }).then(textOf, (error: Error) => error.message)),
    );
    // A legacy server on stdio does not say for which call it asks: then it is better to refuse than to guess.
    const isRefusal = (text: string): boolean => upstream === 'stdio-legacy' && !text.startsWith('Hello');
    expect(texts.map((text, index) => isRefusal(text) || text === `Hello, ${names[index]}!`)).toEqual([
      true,
      true,
      true,
    ]);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('does not ask a client that cannot answer', async () => {
    const client = await connectV2(coordinator.url, era);
    const name = `${upstream}__test_sampling`;
    const outcome = await client.callTool({ name, arguments: { prompt: 'x' } }).then(
      (result) => (result.isError ? 'refused' : 'answered'),
      () => 'refused',
    );
    expect(outcome).toBe('refused');
    await client.close();
  });
});

describe('a modern client that never answers', () => {
  it.each(['stdio-legacy', 'stdio-modern', 'http-legacy', 'http-modern'])(
    'does not keep others from being asked by %s',
    async (upstream) => {
      const name = `${upstream}__test_input_required_result_elicitation`;
      const silent = await connectV2(coordinator.url, 'modern', { elicit: () => ({ name: 'never' }) });
      const asked = await silent.request(
        { method: 'tools/call', params: { name } },
        { allowInputRequired: true },
      );
      expect(asked).toMatchObject({ resultType: 'input_required' });
      await silent.close();

      const client = await connectV2(coordinator.url, 'modern', { elicit: () => ({ name: 'Malee' }) });
      expect(textOf(await client.callTool({ name }))).toBe('Hello, Malee!');
      await client.close();
    },
  );
});
