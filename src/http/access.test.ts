import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { AppError } from '../kernel/errors.ts';
import { localOwner } from '../kernel/principal.ts';
import { createAccess } from './access.ts';
import { createForwarded } from './forwarded.ts';

function open(trustedProxies: readonly string[]) {
  const heard: string[] = [];
  const { addressOf } = createForwarded({ trustedProxies, forwardedHeader: 'x-forwarded' });
  const access = createAccess({
    authenticate: async (authorization) => {
      if (authorization === 'Bearer right') return localOwner;
      throw new AppError('UNAUTHENTICATED', { problem: 'wrong' });
    },
    authorizer: { assertMay() {}, assertMayAnywhere() {} },
    addressOf,
    failedKeys: {
      check: (address) => void heard.push(`check ${address}`),
      note: (address) => void heard.push(`note ${address}`),
    },
    onRefused: ({ from }) => void heard.push(`refused ${from}`),
  });
  const socket = { remoteAddress: '10.0.0.9' };
  const send = async (key: string, client: string) => {
    const headers = { authorization: `Bearer ${key}`, 'x-forwarded-for': client };
    await access.admit({ url: '/mcp', headers, socket } as unknown as IncomingMessage).catch(() => {});
    return heard.splice(0);
  };
  return { send };
}

test('wrong keys are counted by the address of the client, past trusted proxies', async () => {
  const { send } = open(['10.0.0.0/8']);
  expect(await send('wrong', '203.0.113.1')).toEqual([
    'check 203.0.113.1',
    'note 203.0.113.1',
    'refused 203.0.113.1',
  ]);
  // Others come over the same connection of the proxy: a right key of one vouches for nobody else.
  expect(await send('right', '203.0.113.2')).toEqual(['check 203.0.113.2']);
  expect(await send('wrong', '203.0.113.1')).toContain('check 203.0.113.1');
});

test('whoever is no trusted proxy is not believed, and a right key proves its connection', async () => {
  const { send } = open([]);
  expect(await send('right', '203.0.113.2')).toEqual(['check 10.0.0.9']);
  expect(await send('right', '203.0.113.2')).toEqual([]);
  expect(await send('wrong', '203.0.113.1')).toEqual(['note 10.0.0.9', 'refused 10.0.0.9']);
  expect(await send('wrong', '203.0.113.1')).toEqual(['check 10.0.0.9', 'note 10.0.0.9', 'refused 10.0.0.9']);
});
