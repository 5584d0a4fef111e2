import { describe, expect, it } from 'vitest';
import { createCallGate } from './call-gate.ts';

describe('the gate', () => {
  it('lets calls through together, and one alone between them', async () => {
    const gate = createCallGate();
    const told: string[] = [];
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const before = [
      gate.pass(() => first.promise.then(() => told.push('a'))),
      gate.pass(() => second.promise.then(() => told.push('b'))),
    ];
    const alone = gate.alone(async () => {
      told.push('alone');
      await Promise.resolve();
      told.push('alone ends');
    });
    const after = gate.pass(async () => told.push('after'));
    const again = gate.alone(async () => told.push('alone again'));
    second.resolve();
    await before[1];
    first.resolve();
    await Promise.all([...before, alone, after, again]);
    expect(told.slice(0, 4)).toEqual(['b', 'a', 'alone', 'alone ends']);
    expect(told.slice(4).sort()).toEqual(['after', 'alone again']);
  });

  it('opens again after a failure', async () => {
    const gate = createCallGate();
    await expect(gate.alone(() => Promise.reject(new Error('no')))).rejects.toThrowError('no');
    expect(await gate.pass(async () => 1)).toBe(1);
    await expect(gate.pass(() => Promise.reject(new Error('never')))).rejects.toThrowError('never');
    expect(await gate.alone(async () => 2)).toBe(2);
  });
});
