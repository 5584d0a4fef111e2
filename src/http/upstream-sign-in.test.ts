import { IncomingMessage, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { serveSignIn } from './upstream-sign-in.ts';

test.each([
  [true, /; Secure$/],
  [false, /; Max-Age=600$/],
])('the cookie of a try is for https only where the browser speaks it: %s', async (isSecure, ending) => {
  const pages = {
    start: async () => ({ server: 's', principal: 'p', location: 'https://login.test/', cookie: 'c' }),
    finish: async () => ({ server: 's' }),
  };
  const request = new IncomingMessage(new Socket());
  let cookie: unknown;
  const response = {
    writeHead(_status: number, headers: Record<string, unknown>) {
      cookie = headers['set-cookie'];
      return { end() {} };
    },
  } as unknown as ServerResponse;
  await serveSignIn(pages, request, response, '/oauth/upstream/start', '?ticket=12345678', isSecure);
  expect(cookie).toMatch(ending);
});
