import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { watchSignals } from './watch-signals.ts';

function fakeProcess() {
  const exits: number[] = [];
  const host = Object.assign(new EventEmitter(), { exit: (code: number) => exits.push(code) });
  return { host: host as unknown as NodeJS.Process, exits };
}

describe('watchSignals', () => {
  it('asks for a clean stop first and ends the process at the second signal', async () => {
    const { host, exits } = fakeProcess();
    let first = 0;
    using watch = watchSignals(host, () => (first += 1));
    host.emit('SIGTERM', 'SIGTERM');
    await watch.asked;
    expect([watch.signal.aborted, first, exits]).toEqual([true, 1, []]);
    host.emit('SIGINT', 'SIGINT');
    expect(exits).toEqual([130]);
  });

  it('lets go of the process', () => {
    const { host } = fakeProcess();
    watchSignals(host, () => {})[Symbol.dispose]();
    expect(host.listenerCount('SIGINT')).toBe(0);
  });
});
