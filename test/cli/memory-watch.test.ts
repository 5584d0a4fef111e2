import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../e2e/eventually.ts';
import { startEdge } from '../fixtures/http-edge.ts';
import { openTestMemory, type TestMemory } from '../fixtures/memory-in-temp.ts';
import { createSandbox, mainPath, type Sandbox } from './run-command.ts';

let sandbox: Sandbox;
let test: TestMemory;

beforeAll(async () => {
  sandbox = await createSandbox();
  test = await openTestMemory();
});

afterAll(async () => {
  await test?.[Symbol.asyncDispose]();
  await sandbox?.[Symbol.asyncDispose]();
});

/** The verb as a process of its own, ended by Ctrl-C. */
function startWatch(args: readonly string[]) {
  const child = spawn(process.execPath, [mainPath, 'memory', 'watch', ...args], {
    cwd: sandbox.project,
    env: sandbox.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    lines: () => stdout.split('\n').slice(0, -1),
    stderr: () => stderr,
    async stop() {
      child.kill('SIGINT');
      return ended;
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

describe.skipIf(process.platform === 'win32')('memory watch', () => {
  it('prints what changed since a position and what changes, and ends clean on Ctrl-C', async () => {
    await using edge = await startEdge({}, 'custom', test.memory);
    const { next } = await test.call('changes', {});
    await test.call('store', { key: 'a/1', value: 1 }, 'ann');
    using watch = startWatch(['--url', edge.url, '--since', next, '--prefix', 'a/']);
    await eventually('the first line', () => watch.lines().length === 1 || undefined);
    await test.call('store', { key: 'b', value: 1 }, 'bob');
    await test.call('delete', { key: 'a/1' }, 'bob');
    await eventually('the second line', () => watch.lines().length === 2 || undefined);
    expect(watch.lines().map((line) => line.split('\t').slice(1, 4))).toEqual([
      ['store', 'shared', 'a/1'],
      ['delete', 'shared', 'a/1'],
    ]);
    expect([await watch.stop(), watch.stderr()]).toEqual([0, '']);
  });

  it('goes on after the coordinator was away, nothing missed, nothing twice', async () => {
    let edge = await startEdge({}, 'custom', test.memory);
    const port = new URL(edge.url).port;
    const { next } = await test.call('changes', {});
    await test.call('store', { key: 'w/1', value: 1 });
    using watch = startWatch(['--url', edge.url, '--since', next, '--json']);
    await eventually('the first line', () => watch.lines().length === 1 || undefined);
    await edge[Symbol.asyncDispose]();
    await test.call('store', { key: 'w/2', value: 1 });
    await eventually('the note', () => watch.stderr().includes('trying again') || undefined);
    edge = await startEdge({}, 'custom', test.memory, Number(port));
    await eventually('the second line', () => watch.lines().length === 2 || undefined);
    await test.call('store', { key: 'w/3', value: 1 });
    await eventually('the third line', () => watch.lines().length === 3 || undefined);
    expect(watch.lines().map((line) => (JSON.parse(line) as { key: string }).key)).toEqual([
      'w/1',
      'w/2',
      'w/3',
    ]);
    expect(await watch.stop()).toBe(0);
    await edge[Symbol.asyncDispose]();
  });

  it('says so when a position is of no use, and fails where nobody answers', async () => {
    await using edge = await startEdge({}, 'custom', test.memory);
    using watch = startWatch(['--url', edge.url, '--since', `${'0'.repeat(12)}-1`, '--json']);
    await eventually('the reset', () => watch.lines().length === 1 || undefined);
    expect(JSON.parse(watch.lines()[0]!)).toMatchObject({ reset: true });
    expect(await watch.stop()).toBe(0);
    const bad = await sandbox.run(['memory', 'watch', '--url', edge.url, '--since', 'never']);
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('INVALID_INPUT')]);
    const nobody = await sandbox.run(['memory', 'watch', '--url', 'http://127.0.0.1:1']);
    expect(nobody.code).not.toBe(0);
  });
});
