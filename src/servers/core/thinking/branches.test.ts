import { describe, expect, it } from 'vitest';
import { createMemoryDouble } from '../../../../test/fixtures/memory-double.ts';
import { callTool, makeToolContext } from '../../../../test/fixtures/tool-context.ts';
import server from '../3d-sco-thinking.ts';

/** A process with the steps: main s1 s2 s5, branch a (from s1) s3, branch b (from s3) s4. */
async function openTree() {
  const context = await makeToolContext(server, { memory: createMemoryDouble() });
  const call = <T = Record<string, unknown>>(tool: string, args: object = {}) =>
    callTool<T>(server, `thinking_${tool}`, { processId: 'p', ...args }, context);
  const add = (thought: string, branch?: string) => call('add_step', { kind: 'fact', thought, branch });
  const stepsOf = async (branch: string): Promise<string> => {
    const { process } = await call<{ process: { steps: { id: string }[] } }>('get', { branch });
    return process.steps.map((step) => step.id).join(' ');
  };
  await call('start', { template: 'research', title: 'Tree "of" <thought>', goal: 'g' });
  await add('one\n| two |');
  await add('two');
  await call('branch', { fromStep: 's1', name: 'a', why: 'try' });
  await add('three', 'a');
  await call('branch', { fromStep: 's3', name: 'b', why: 'deeper' });
  await add('four', 'b');
  await add('five');
  return { call, add, stepsOf, [Symbol.asyncDispose]: () => context[Symbol.asyncDispose]() };
}

describe('branches', () => {
  it('see their own steps and their ancestors up to the fork', async () => {
    await using tree = await openTree();
    expect(await tree.stepsOf('main')).toBe('s1 s2 s5');
    expect(await tree.stepsOf('a')).toBe('s1 s3');
    expect(await tree.stepsOf('b')).toBe('s1 s3 s4');
  });

  it('refuse links to steps they do not see', async () => {
    await using tree = await openTree();
    await expect(
      tree.call('add_step', { kind: 'fact', thought: 'x', branch: 'a', refs: ['s2'] }),
    ).rejects.toThrow('refs: s2 is not on branch "a"');
    await expect(tree.add('x', 'nope')).rejects.toThrow(
      'there is no branch "nope" in p; there are: main, a, b',
    );
    await expect(tree.call('branch', { fromStep: 's1', name: 'a', why: 'x' })).rejects.toThrow(
      'already a branch "a"',
    );
  });

  it('give their steps to the branch they are merged into', async () => {
    await using tree = await openTree();
    await tree.call('resolve_branch', { branch: 'b', outcome: 'merge', why: 'fits' });
    expect(await tree.stepsOf('a')).toBe('s1 s3 s4');
    await tree.call('resolve_branch', { branch: 'a', outcome: 'merge', why: 'fits' });
    expect(await tree.stepsOf('main')).toBe('s1 s2 s3 s4 s5');
    await expect(tree.add('x', 'a')).rejects.toThrow('"a" was merged into "main"');
    await expect(
      tree.call('resolve_branch', { branch: 'b', outcome: 'merge', into: 'a', why: 'x' }),
    ).rejects.toThrow('"a" was merged');
  });

  it('become the active line when chosen; the others are dropped and no gap is left', async () => {
    await using tree = await openTree();
    await tree.call('branch', { fromStep: 's2', name: 'c', why: 'other' });
    const answer = await tree.call('resolve_branch', { branch: 'b', outcome: 'choose', why: 'best' });
    expect(answer).toMatchObject({
      activeBranch: 'b',
      blockingGaps: [],
      branches: [
        { name: 'main', status: 'open' },
        { name: 'a', status: 'open' },
        { name: 'b', status: 'chosen', outcome: 'best' },
        { name: 'c', status: 'dropped' },
      ],
    });
    expect(await tree.add('six')).toMatchObject({ branch: 'b' });
    const back = await tree.call('resolve_branch', { branch: 'main', outcome: 'choose', why: 'no' });
    expect(back).toMatchObject({
      activeBranch: 'main',
      branches: [{ status: 'chosen' }, { status: 'dropped' }, { status: 'dropped' }, {}],
    });
    await tree.call('resolve_branch', { branch: 'a', outcome: 'reopen', why: 'hm' });
    await tree.add('seven', 'a');
    await expect(tree.call('resolve_branch', { branch: 'main', outcome: 'drop', why: 'x' })).rejects.toThrow(
      '"main" can only be chosen',
    );
  });
});

describe('export', () => {
  it('writes Markdown of one branch with its gaps and branches', async () => {
    await using tree = await openTree();
    await tree.call('decide', {
      title: 'a | b',
      criteria: [{ name: 'x|y', weight: 1 }],
      options: [
        { name: 'A', scores: { 'x|y': 1 } },
        { name: 'B', scores: { 'x|y': 2 } },
      ],
    });
    const { text, mediaType } = await tree.call<{ text: string; mediaType: string }>('export');
    expect(mediaType).toBe('text/markdown');
    expect(text).toContain('# Tree "of" <thought>\n');
    expect(text).toContain('- **s1** (fact): one\n  | two |');
    expect(text).not.toContain('three');
    expect(text).toContain('| Option | x\\|y (1) | Total | Rank |');
    expect(text).toContain('- blocking: the branch "a" is still open');
    expect(text).toContain('- **b** (open): deeper');
  });

  it('writes Mermaid in which no thought can break out of its label', async () => {
    await using tree = await openTree();
    await tree.call('add_step', { kind: 'question', thought: '"] --> evil["<b>#quot;`' + 'ก'.repeat(200) });
    const { text } = await tree.call<{ text: string }>('export', { format: 'mermaid' });
    expect(text.startsWith('flowchart TD\n')).toBe(true);
    const line = text.split('\n').find((row) => row.includes('s6{{'))!;
    expect(line).toMatch(/^ {4}s6\{\{"[^"<>`]*"\}\}$/);
    expect(line).toContain('#34;] --#62; evil[#34;#60;b#62;#35;quot;#96;');
    expect(text).toContain('  s1 --> s3\n');
    expect(text.match(/^ {2}end$/gm)).toHaveLength(3);
  });

  it('writes the whole record as JSON', async () => {
    await using tree = await openTree();
    const { text } = await tree.call<{ text: string }>('export', { format: 'json' });
    expect(JSON.parse(text)).toMatchObject({
      format: 'thinking-process/1',
      steps: [{ id: 's1' }, {}, {}, {}, {}],
    });
  });
});
