import { describe, expect, it } from 'vitest';
import { createMemoryDouble } from '../../../test/fixtures/memory-double.ts';
import { callTool, makeToolContext } from '../../../test/fixtures/tool-context.ts';
import server from './3d-sco-thinking.ts';
import type { Gap } from './thinking/progress.ts';
import { templateNames } from './thinking/template.ts';
import { templates } from './thinking/templates.ts';

type Answer = Record<string, unknown> & { stepId: string; blockingGaps: Gap[]; nextQuestion: string | null };

async function open(template: string, memory = createMemoryDouble(), settings: unknown = {}) {
  const context = await makeToolContext(server, { memory, settings });
  const call = <T = Answer>(tool: string, args: object = {}) =>
    callTool<T>(
      server,
      `thinking_${tool}`,
      tool === 'start' || tool === 'list' ? args : { processId: 'p', ...args },
      context,
    );
  await call('start', { template, title: 'A title', goal: 'A goal', processId: 'p' });
  return { call, memory, [Symbol.asyncDispose]: () => context[Symbol.asyncDispose]() };
}

const gapsOf = async (call: Awaited<ReturnType<typeof open>>['call'], branch?: string): Promise<string[]> => {
  const { progress } = await call<{ progress: { gaps: Gap[] } }>('progress', { branch });
  return progress.gaps.map((gap) => [gap.rule, gap.step].filter(Boolean).join(' '));
};

describe('templates', () => {
  it.each(templateNames)('%s: its phases are unique and the decision phase is one of them', (name) => {
    const { phases, decisionPhase } = templates[name];
    const ids = phases.map((phase) => phase.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain(decisionPhase);
  });

  it.each(templateNames)('%s can be walked to its end by answering the next question', async (name) => {
    await using process = await open(name);
    const { phases } = templates[name];
    for (const phase of phases) {
      for (const need of phase.needs) {
        for (let count = 0; count < need.atLeast; count += 1) {
          const kind = need.kinds[0]!;
          const answer = await process.call('add_step', {
            kind,
            thought: need.ask,
            phase: phase.id,
            evidence: ['seen'],
          });
          expect(answer.stepId).toMatch(/^s\d+$/);
        }
      }
    }
    const { progress } = await process.call<{ progress: { percent: number; nextPhase: unknown } }>(
      'progress',
    );
    expect(progress).toMatchObject({ percent: 100, nextPhase: null });
  });
});

describe('3d-sco-thinking', () => {
  it('keeps a process in the memory under thinking/<id> in its default scope', async () => {
    await using process = await open('research', createMemoryDouble(), { defaultScope: 'category:iot' });
    expect(process.memory.calls[0]).toMatchObject({
      operation: 'store',
      input: {
        key: 'thinking/p',
        scope: 'category:iot',
        ifMatch: 'absent',
        tags: ['thinking', 'template:research', 'status:open'],
      },
    });
    await expect(
      process.call('start', { template: 'research', title: 't', goal: 'g', processId: 'p' }),
    ).rejects.toThrow('"p" is taken');
  });

  it('loses no step of many concurrent writers', async () => {
    await using process = await open('problem-solving');
    const thoughts = Array.from({ length: 40 }, (_, index) => `ความคิดที่ ${index}`);
    const answers = await Promise.all(
      thoughts.map((thought) => process.call('add_step', { kind: 'observation', thought })),
    );
    expect(new Set(answers.map((answer) => answer.stepId)).size).toBe(40);
    const { process: record } = await process.call<{ process: { steps: { thought: string }[] } }>('get', {});
    expect(record.steps.map((step) => step.thought).sort()).toEqual([...thoughts].sort());
  });

  it('files a step under the phase that asks for its kind', async () => {
    await using process = await open('problem-solving');
    expect(await process.call('add_step', { kind: 'observation', thought: 'x' })).toMatchObject({
      phase: 'define',
    });
    expect(await process.call('add_step', { kind: 'hypothesis', thought: 'x' })).toMatchObject({
      phase: 'analyse',
    });
    expect(await process.call('add_step', { kind: 'lesson', thought: 'x' })).toMatchObject({
      phase: 'define',
    });
    await expect(process.call('add_step', { kind: 'lesson', thought: 'x', phase: 'nope' })).rejects.toThrow(
      'phase: "nope" is no phase of problem-solving; its phases are define, analyse, solve, act',
    );
  });

  it('finds gaps by rule and closes them when they are met', async () => {
    await using process = await open('problem-solving');
    const { stepId: hypothesis } = await process.call('add_step', {
      kind: 'hypothesis',
      thought: 'the cache is cold',
    });
    expect(await gapsOf(process.call)).toContain(`hypothesis-without-test ${hypothesis}`);
    const { stepId: result } = await process.call('add_step', {
      kind: 'result',
      thought: 'warm cache: fast',
      refs: [hypothesis],
    });
    expect(await gapsOf(process.call)).not.toContain(`hypothesis-without-test ${hypothesis}`);
    const { stepId: cause } = await process.call('add_step', {
      kind: 'cause',
      thought: 'restart empties it',
      refs: [result],
    });
    expect(await gapsOf(process.call)).toContain(`cause-without-evidence ${cause}`);
    await process.call('revise_step', { stepId: cause, reason: 'log found', evidence: ['log line 7'] });
    expect(await gapsOf(process.call)).not.toContain(`cause-without-evidence ${cause}`);
    await process.call('add_step', { kind: 'decision', thought: 'warm it up' });
    expect(await gapsOf(process.call)).toEqual(
      expect.arrayContaining(['decision-without-criteria', 'decision-without-alternative']),
    );
  });

  it('wants contradictions settled', async () => {
    await using process = await open('research');
    await process.call('add_step', { kind: 'fact', thought: 'it is up' });
    await process.call('add_step', { kind: 'fact', thought: 'it is down', contradicts: ['s1'] });
    expect(await gapsOf(process.call)).toContain('contradiction-open s2');
    await process.call('add_step', { kind: 'answer', thought: 'up in Asia only', refs: ['s1', 's2'] });
    expect(await gapsOf(process.call)).not.toContain('contradiction-open s2');
  });

  it('keeps former versions of a revised step and leaves out a retracted one', async () => {
    await using process = await open('research');
    await process.call('add_step', { kind: 'hypothesis', thought: 'old', confidence: 0.9 });
    const { step } = await process.call('revise_step', {
      stepId: 's1',
      thought: 'new',
      reason: 'better',
      confidence: 0.4,
    });
    expect(step).toMatchObject({
      thought: 'new',
      confidence: 0.4,
      revisions: [{ thought: 'old', confidence: 0.9 }],
    });
    await process.call('revise_step', { stepId: 's1', retract: true, reason: 'wrong' });
    expect(await gapsOf(process.call)).not.toContain('hypothesis-without-test s1');
    await expect(process.call('revise_step', { stepId: 's1', reason: 'none' })).rejects.toThrow(
      'nothing to revise',
    );
    await expect(process.call('revise_step', { stepId: 's1', refs: ['s1'], reason: 'x' })).rejects.toThrow(
      'itself',
    );
    await expect(process.call('revise_step', { stepId: 's9', thought: 'x', reason: 'x' })).rejects.toThrow(
      'its steps are s1 to s1',
    );
  });

  it('records a decision with its matrix, which counts as criteria and options', async () => {
    await using process = await open('decision-making');
    const answer = await process.call('decide', {
      title: 'Which database',
      criteria: [
        { name: 'ops', weight: 2 },
        { name: 'cost', weight: 1 },
      ],
      options: [
        { name: 'SQLite', scores: { ops: 9, cost: 10 } },
        { name: 'PostgreSQL', scores: { ops: 5, cost: 7 } },
      ],
    });
    expect(answer).toMatchObject({
      decisionId: 'd1',
      stepId: 's1',
      matrix: { winner: 'SQLite', robust: true },
      blockingGaps: [],
    });
    const { progress } = await process.call<{ progress: { phases: { id: string; done: boolean }[] } }>(
      'progress',
    );
    const done = progress.phases.filter((phase) => phase.done).map((phase) => phase.id);
    expect(done).toEqual(['criteria', 'options', 'decide']);
  });

  it('concludes only without blocking gaps, or with them on record; and can be reopened', async () => {
    await using process = await open('research');
    await process.call('add_step', { kind: 'hypothesis', thought: 'h' });
    const conclusion = { answer: 'because', confidence: 0.8 };
    await expect(process.call('conclude', conclusion)).rejects.toThrow('s1: this hypothesis has no test');
    const answer = await process.call('conclude', { ...conclusion, acceptGaps: true });
    expect(answer['conclusion']).toMatchObject({
      answer: 'because',
      acceptedGaps: [expect.stringContaining('s1')],
    });
    await expect(process.call('add_step', { kind: 'fact', thought: 'late' })).rejects.toThrow(
      'thinking_reopen',
    );
    expect(await process.call('reopen', { why: 'new data' })).toMatchObject({
      percent: expect.any(Number) as number,
    });
    await process.call('add_step', { kind: 'fact', thought: 'late' });
    await expect(process.call('reopen', { why: 'again' })).rejects.toThrow('is not concluded');
  });

  it('names what is missing when there is no such process', async () => {
    await using process = await open('research');
    await expect(process.call('get', { processId: 'other' })).rejects.toThrow(
      'there is no process "other" in scope shared',
    );
    const memory = createMemoryDouble();
    await memory.call('store', { key: 'thinking/p', value: { a: 1 } }, { actor: 'x', agent: 'x' });
    await using context = await makeToolContext(server, { memory });
    await expect(callTool(server, 'thinking_get', { processId: 'p' }, context)).rejects.toThrow(
      'is not a thinking process',
    );
    expect(await callTool(server, 'thinking_list', {}, context)).toEqual({ processes: [] });
  });

  it('lists processes a page at a time and by state', async () => {
    await using process = await open('research');
    await process.call('start', { template: 'problem-solving', title: 'B', goal: 'g', processId: 'q' });
    await process.call('conclude', { answer: 'a', confidence: 1, acceptGaps: true });
    type Page = { processes: { processId: string }[]; nextCursor?: string };
    const first = await process.call<Page>('list', { limit: 1 });
    const second = await process.call<Page>('list', { limit: 1, cursor: first.nextCursor });
    expect([...first.processes, ...second.processes].map((row) => row.processId)).toEqual(['p', 'q']);
    expect(second.nextCursor).toBeUndefined();
    expect(await process.call('list', { status: 'concluded' })).toMatchObject({
      processes: [{ processId: 'p', title: 'A title' }],
    });
    expect(await process.call('list', { template: 'problem-solving' })).toMatchObject({
      processes: [{ processId: 'q' }],
    });
  });
});
