import { describe, expect, it } from 'vitest';
import { createMemoryDouble } from '../../../test/fixtures/memory-double.ts';
import { callTool, makeToolContext } from '../../../test/fixtures/tool-context.ts';
import { AppError } from '../../kernel/errors.ts';
import { ToolError } from '../../kernel/define-server.ts';
import { memoryOperations } from '../../kernel/memory/operations.ts';
import server from './git-memory-server.ts';

describe('git-memory-server', () => {
  it('has one tool for every operation that can be undone, with the shapes of the table', () => {
    const { forget: _forget, rekey: _rekey, ...forModels } = memoryOperations;
    expect(server.tools.map((tool) => tool.name)).toEqual(
      Object.keys(forModels).map((operation) => `memory_${operation}`),
    );
    for (const [operation, { input, output }] of Object.entries(forModels)) {
      const tool = server.tools.find((candidate) => candidate.name === `memory_${operation}`);
      expect(tool?.input).toBe(input);
      expect(tool?.output).toBe(output);
    }
  });

  it('stores and retrieves any JSON value and Thai text', async () => {
    await using context = await makeToolContext(server, { memory: createMemoryDouble() });
    for (const value of ['ความจำ', { a: [1, null, 'ก'] }, 0, false, null, '']) {
      const stored = await callTool(server, 'memory_store', { key: 'บันทึก/หนึ่ง', value }, context);
      expect(stored).toMatchObject({ key: 'บันทึก/หนึ่ง', scope: 'shared' });
      const got = await callTool(server, 'memory_retrieve', { key: 'บันทึก/หนึ่ง' }, context);
      expect(got).toMatchObject({ value, etag: stored['etag'] });
    }
  });

  it('uses the default scope of its settings unless the call names one', async () => {
    const memory = createMemoryDouble();
    await using context = await makeToolContext(server, {
      memory,
      settings: { defaultScope: 'category:database' },
    });
    await callTool(server, 'memory_store', { key: 'k', value: 1 }, context);
    await callTool(server, 'memory_store', { key: 'k', value: 2, scope: 'shared' }, context);
    await callTool(server, 'memory_list', { scope: undefined }, context);
    expect(memory.calls.map(({ input }) => input['scope'])).toEqual([
      'category:database',
      'shared',
      'category:database',
    ]);
  });

  it('leaves search and stats without a scope, so that they look everywhere', async () => {
    const seen: unknown[] = [];
    await using context = await makeToolContext(server, {
      settings: { defaultScope: 'category:database' },
      memory: {
        call(operation, input) {
          seen.push([operation, input]);
          return Promise.resolve({ hits: [] } as never);
        },
      },
    });
    await callTool(server, 'memory_search', { query: 'why?' }, context);
    expect(seen).toEqual([['search', { query: 'why?' }]]);
  });

  it('answers failures of the memory as tool errors with code and message', async () => {
    await using context = await makeToolContext(server, { memory: createMemoryDouble() });
    const missing = callTool(server, 'memory_retrieve', { key: 'nope' }, context);
    await expect(missing).rejects.toThrow(ToolError);
    await expect(missing).rejects.toThrow('MEMORY_NOT_FOUND: no memory nope in scope shared');
    await callTool(server, 'memory_store', { key: 'k', value: 1, ifMatch: 'absent' }, context);
    await expect(
      callTool(server, 'memory_store', { key: 'k', value: 2, ifMatch: 'absent' }, context),
    ).rejects.toThrow(/^MEMORY_CHANGED: /);
  });

  it('passes a cancellation on as it is', async () => {
    await using context = await makeToolContext(server, {
      memory: { call: () => Promise.reject(new AppError('REQUEST_CANCELLED')) },
    });
    await expect(callTool(server, 'memory_stats', {}, context)).rejects.toMatchObject({
      code: 'REQUEST_CANCELLED',
    });
  });

  it.each(['', '../x', 'category:', 'category:A', 'server:', 'everyone'])('refuses the scope %j', (scope) => {
    const store = server.tools.find((tool) => tool.name === 'memory_store');
    expect(store?.input.safeParse({ key: 'k', value: 1, scope }).success).toBe(false);
    expect(server.settings?.safeParse({ defaultScope: scope }).success).toBe(false);
  });
});
