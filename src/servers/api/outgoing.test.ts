import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerHarness, type ServerHarness } from '../../../test/fixtures/server-harness.ts';
import { startWebSite, type WebSite } from '../../../test/fixtures/web-site.ts';
import httpClient from './http-client.ts';

let first: WebSite;
let second: WebSite;
let forbidden: WebSite;
let base: string;
let other: string;
let harness: ServerHarness;

beforeAll(async () => {
  [first, second, forbidden] = await Promise.all([startWebSite(), startWebSite(), startWebSite()]);
  base = `http://127.0.0.1:${first.port}`;
  other = `http://localhost:${second.port}`;
  harness = await createServerHarness(httpClient, {
    allowHosts: [`127.0.0.1:${first.port}`, `localhost:${second.port}`],
  });
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  for (const site of [first, second, forbidden]) await site[Symbol.asyncDispose]();
});

const request = (args: object, signal?: AbortSignal) =>
  harness.call<{ body: string; notFollowed?: string }>('http_request', args, signal);

const to = (location: string, status = 302) =>
  `${base}/to?location=${encodeURIComponent(location)}&status=${status}`;

describe('redirects', () => {
  it('follows them, turns POST into GET for 302 and keeps it for 307', async () => {
    const seen = await request({ url: to('/echo'), method: 'POST', json: 1 });
    expect(seen).toMatchObject({ url: `${base}/echo`, redirectedFrom: [to('/echo')] });
    expect(JSON.parse(seen.body)).toMatchObject({ method: 'GET', body: '' });
    const kept = JSON.parse(
      (await request({ url: to('/echo', 307), method: 'POST', json: 1 })).body,
    ) as unknown;
    expect(kept).toMatchObject({ method: 'POST', body: '1' });
  });

  it('drops all headers that may be credentials on the way to another origin', async () => {
    const headers = { Authorization: 'a', Cookie: 'b', 'X-Api-Key': 'c', Accept: 'text/x' };
    const same = JSON.parse((await request({ url: to('/echo'), headers })).body) as { headers: object };
    expect(same.headers).toMatchObject({ authorization: 'a', cookie: 'b', 'x-api-key': 'c' });
    const crossed = JSON.parse((await request({ url: to(`${other}/echo`), headers })).body) as {
      headers: object;
    };
    expect(crossed.headers).toMatchObject({ accept: 'text/x' });
    expect(Object.keys(crossed.headers)).not.toEqual(expect.arrayContaining(['authorization']));
    expect(JSON.stringify(crossed.headers)).not.toMatch(/cookie|x-api-key|authorization/);
  });

  it('does not send a body on to another origin', async () => {
    const seen = await request({ url: to(`${other}/echo`, 308), method: 'POST', text: 'secret' });
    expect(seen).toMatchObject({ status: 308, url: to(`${other}/echo`, 308) });
    expect(seen.notFollowed).toMatch(/body is not sent on/);
  });

  it('bounds loops, and returns the redirect itself for maxRedirects 0', async () => {
    const looped = await request({ url: `${base}/loop`, maxRedirects: 3 });
    expect(looped).toMatchObject({ status: 302, notFollowed: 'more than 3 redirects' });
    expect(await request({ url: `${base}/loop`, maxRedirects: 0 })).toMatchObject({
      status: 302,
      redirectedFrom: [],
    });
  });

  it.each(['http://169.254.169.254/latest', 'http://[::1]/', 'http://0x7f.1/', 'file:///etc/passwd'])(
    'refuses a redirect to %s',
    async (location) => {
      await expect(request({ url: to(location) })).rejects.toThrow(/not allowed|only http/);
    },
  );

  it('refuses a redirect to another port of an allowed host', async () => {
    await expect(request({ url: to(`http://127.0.0.1:${forbidden.port}/echo`) })).rejects.toThrow(
      /not allowed/,
    );
  });
});

describe('the guard on connections', () => {
  it('refuses loopback by default, by name and by address', async () => {
    await using strict = await createServerHarness(httpClient);
    const port = first.port;
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '127.1']) {
      for (const tool of ['http_request', 'http_get_json', 'download_file', 'check_url']) {
        await expect(strict.call(tool, { url: `http://${host}:${port}/json` })).rejects.toMatchObject({
          code: 'FORBIDDEN',
        });
      }
    }
  });

  it('opens loopback with allowPrivate', async () => {
    await using open = await createServerHarness(httpClient, { allowPrivate: true });
    const answer = await open.call('http_request', { url: `http://localhost:${first.port}/thai` });
    expect(answer).toMatchObject({ status: 200 });
  });
});
