import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../kernel/clock.ts';
import type { RpcMessage } from '../kernel/json-rpc.ts';
import { createSessions, type Session } from './sessions.ts';

function setUp(limits = { maxSessions: 3, idleMs: 1000 }) {
  const clock = createFakeClock();
  const ended: Session[] = [];
  const sessions = createSessions(clock, limits, (session) => ended.push(session));
  const open = () => sessions.open({ mount: 'all', protocolVersion: '2025-11-25', capabilities: {} });
  return { clock, ended, open, sessions };
}

describe('sessions', () => {
  it('are found on their own mount only', () => {
    const { open, sessions } = setUp();
    const { id } = open();
    expect(sessions.get(id, 'all').id).toBe(id);
    expect(() => sessions.get(id, 'server:x')).toThrow(
      expect.objectContaining({ code: 'SESSION_NOT_FOUND' }),
    );
    sessions.end(id);
    expect(() => sessions.get(id, 'all')).toThrow(expect.objectContaining({ code: 'SESSION_NOT_FOUND' }));
  });

  it('end when idle, but not while a stream is open or a request is served', () => {
    const { clock, ended, open, sessions } = setUp();
    const [idle, streaming, busy] = [open(), open(), open()];
    streaming.attach({ send() {}, end() {} });
    busy.inFlight.add({ place: -1, id: 1, abort() {} });
    clock.advance(1001);
    sessions.sweep();
    expect(ended).toEqual([idle]);
    expect(sessions.size).toBe(2);
  });

  it('make room by ending the one that was silent longest, and refuse when all are at work', () => {
    const { clock, ended, open, sessions } = setUp({ maxSessions: 2, idleMs: 1_000_000 });
    const first = open();
    clock.advance(10);
    const second = open();
    sessions.get(first.id, 'all');
    clock.advance(10);
    sessions.get(first.id, 'all');
    open();
    expect(ended).toEqual([second]);
    for (const session of sessions.all()) session.inFlight.add({ place: -1, id: 1, abort() {} });
    expect(open).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
  });

  it('keep messages for a stream to come: bounded, and the same news once', () => {
    const { open } = setUp();
    const session = open();
    for (let round = 0; round < 3; round += 1)
      session.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    for (let n = 0; n < 200; n += 1)
      session.send({ jsonrpc: '2.0', method: 'notifications/message', params: { n } });
    const got: RpcMessage[] = [];
    session.attach({ send: (message) => void got.push(message), end() {} });
    expect(got).toHaveLength(100);
    session.send({ jsonrpc: '2.0', method: 'late' });
    expect(got).toHaveLength(101);
  });

  it('carry questions to the client and its answers back', async () => {
    const { open } = setUp();
    const session = open();
    const sent: RpcMessage[] = [];
    const signal = new AbortController().signal;
    const asking = session.ask('roots/list', undefined, signal, (message) => sent.push(message));
    const { id } = sent[0] as { id: string };
    expect(session.answer({ jsonrpc: '2.0', id: 'unknown', result: {} })).toBe(false);
    expect(session.answer({ jsonrpc: '2.0', id, result: { roots: [] } })).toBe(true);
    await expect(asking).resolves.toEqual({ roots: [] });
    const refused = session.ask('roots/list', undefined, signal, (message) => sent.push(message));
    session.answer({
      jsonrpc: '2.0',
      id: (sent[1] as { id: string }).id,
      error: { code: -1, message: 'no' },
    });
    await expect(refused).rejects.toMatchObject({ code: -1, message: 'no' });
  });

  it('tell the client when a question is withdrawn, and the asker when the session ends', async () => {
    const { open, sessions } = setUp();
    const session = open();
    const sent: RpcMessage[] = [];
    const controller = new AbortController();
    const asking = session.ask('roots/list', undefined, controller.signal, (message) => sent.push(message));
    controller.abort();
    await expect(asking).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    expect(sent.at(-1)).toMatchObject({ method: 'notifications/cancelled' });
    const second = session.ask('roots/list', undefined, new AbortController().signal, () => {});
    sessions.end(session.id);
    await expect(second).rejects.toMatchObject({ code: 'CLIENT_GONE' });
  });

  it('keep no more than a mebibyte', () => {
    const { open } = setUp();
    const session = open();
    for (let n = 0; n < 10; n += 1) {
      const data = String(n).repeat(300_000);
      session.send({ jsonrpc: '2.0', method: 'notifications/message', params: { data } });
    }
    const got: RpcMessage[] = [];
    session.attach({ send: (message) => void got.push(message), end() {} });
    expect(got).toHaveLength(3);
  });

  it('give up a question that is never answered, and tell the client', async () => {
    const { clock, open } = setUp();
    const session = open();
    const sent: RpcMessage[] = [];
    const { signal } = new AbortController();
    const asked = session.ask('roots/list', undefined, signal, (message) => void sent.push(message));
    clock.advance(600_000);
    await expect(asked).rejects.toMatchObject({ code: 'CLIENT_GONE' });
    expect(sent.at(-1)).toMatchObject({ method: 'notifications/cancelled' });
    expect(session.answer({ jsonrpc: '2.0', id: 'gm-1', result: {} })).toBe(false);
  });
});
