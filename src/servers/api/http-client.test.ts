import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerHarness, type ServerHarness } from '../../../test/fixtures/server-harness.ts';
import { startWebSite, type WebSite } from '../../../test/fixtures/web-site.ts';
import httpClient from './http-client.ts';

let site: WebSite;
let base: string;
let harness: ServerHarness;

beforeAll(async () => {
  site = await startWebSite();
  base = `http://127.0.0.1:${site.port}`;
  harness = await createServerHarness(httpClient, { allowHosts: ['127.0.0.1'], maxDownloadBytes: 400_000 });
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const request = (args: object, signal?: AbortSignal) =>
  harness.call<{ body: string; notFollowed?: string }>('http_request', args, signal);

interface Echo {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const echo = async (args: object) =>
  JSON.parse((await request({ url: `${base}/echo`, ...args })).body) as Echo;

describe('http_request', () => {
  it('sends method, query, headers and a JSON body', async () => {
    const got = await echo({
      url: `${base}/echo?a=1`,
      method: 'POST',
      query: { q: 'ไทย & more', tag: ['x', 'y'], n: 2 },
      headers: { Authorization: 'Bearer t' },
      json: { hello: 'โลก' },
    });
    expect(got.method).toBe('POST');
    expect(new URL(got.path, base).searchParams.getAll('tag')).toEqual(['x', 'y']);
    expect(new URL(got.path, base).searchParams.get('q')).toBe('ไทย & more');
    expect(got.headers).toMatchObject({ authorization: 'Bearer t', 'content-type': 'application/json' });
    expect(got.headers['user-agent']).toBe('git-memory-mcp-server');
    expect(JSON.parse(got.body)).toEqual({ hello: 'โลก' });
  });

  it('sends text and forms', async () => {
    const text = await echo({ method: 'PUT', text: 'hi', headers: { 'Content-Type': 'text/markdown' } });
    expect(text).toMatchObject({ body: 'hi', headers: { 'content-type': 'text/markdown' } });
    const form = await echo({ method: 'POST', form: { a: '1 2', b: 'ก' } });
    expect(form.body).toBe('a=1+2&b=%E0%B8%81');
  });

  it('returns text in its charset, and binary as base64', async () => {
    expect(await request({ url: `${base}/thai` })).toMatchObject({
      body: 'สวัสดีชาวโลก',
      bodyEncoding: 'text',
    });
    expect((await request({ url: `${base}/windows-874` })).body).toBe('สวัสดี');
    expect(await request({ url: `${base}/binary` })).toMatchObject({
      body: 'AP8B/g==',
      bodyEncoding: 'base64',
    });
    expect(await request({ url: `${base}/empty` })).toMatchObject({ status: 204, body: '', bytes: 0 });
  });

  it('stops at maxBytes, also inside a character and in a decompression bomb', async () => {
    expect(await request({ url: `${base}/big`, maxBytes: 1000 })).toMatchObject({
      bytes: 1000,
      truncated: true,
    });
    expect(await request({ url: `${base}/thai`, maxBytes: 4 })).toMatchObject({ body: 'ส', truncated: true });
    expect(await request({ url: `${base}/bomb`, maxBytes: 1000 })).toMatchObject({
      bytes: 1000,
      truncated: true,
    });
    expect(await request({ url: `${base}/big`, maxBytes: 300_000 })).toMatchObject({ truncated: false });
  });

  it.each(['/gzip', '/brotli', '/zstd'])('decompresses %s', async (path) => {
    expect((await request({ url: base + path })).body).toBe('zipped');
  });

  it('treats an error status as an answer and HEAD as bodyless', async () => {
    expect(await request({ url: `${base}/missing` })).toMatchObject({ status: 404, ok: false, body: 'no' });
    expect(await request({ url: `${base}/gzip`, method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  it('says what is wrong with bad input', async () => {
    await expect(request({ url: `${base}/echo`, json: 1 })).rejects.toThrow(
      /json: a GET request has no body/,
    );
    await expect(request({ url: base, method: 'POST', json: 1, text: 'x' })).rejects.toThrow(/only one of/);
    await expect(request({ url: base, headers: { Host: 'x' } })).rejects.toThrow(/headers: Host/);
    await expect(request({ url: base, headers: { 'a b': 'x' } })).rejects.toThrow(/not a header name/);
    await expect(request({ url: base, headers: { a: 'hunter2\r\nb: c' } })).rejects.toThrow(
      /^(?!.*hunter2).*line break/,
    );
    await expect(request({ url: 'nope' })).rejects.toThrow(/url: is not an absolute URL/);
    await expect(request({ url: base, method: 'TRACE' })).rejects.toThrow(/method/);
    await expect(request({ url: base, unknown: 1 })).rejects.toThrow(/unknown/);
  });

  it('turns network failures into sentences', async () => {
    await expect(request({ url: `${base}/hang`, timeoutMs: 100 })).rejects.toThrow(
      /timeoutMs: .* did not answer/,
    );
    await expect(request({ url: `${base}/cut` })).rejects.toThrow(/url: the request to .* failed/);
    await expect(request({ url: `${base}/bad-gzip` })).rejects.toThrow(/failed \(Z_DATA_ERROR\)/);
    const closed = await startWebSite();
    await closed[Symbol.asyncDispose]();
    await expect(request({ url: `http://127.0.0.1:${closed.port}/` })).rejects.toThrow(/ECONNREFUSED/);
  });

  it('stops when the client cancels', async () => {
    const controller = new AbortController();
    const pending = request({ url: `${base}/hang` }, controller.signal);
    const reason = new Error('cancelled by the client');
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
  });
});

const get = (args: object) =>
  harness.call<{ value: unknown }>('http_get_json', { url: `${base}/json`, ...args });

describe('http_get_json', () => {
  it('returns the value at a pointer', async () => {
    expect((await get({})).value).toHaveProperty('list', [1, 2]);
    expect((await get({ pointer: '/items/0/name' })).value).toBe('กา');
    expect((await get({ pointer: '/items/0/a~1b/~0' })).value).toBe(1);
  });

  it('says how far a wrong pointer led', async () => {
    await expect(get({ pointer: '/items/5' })).rejects.toThrow(
      /nothing at \/items\/5; there is an array of 1 items/,
    );
    await expect(get({ pointer: '/items/length' })).rejects.toThrow(/nothing at/);
    await expect(get({ pointer: '/__proto__' })).rejects.toThrow(/fields items, list/);
    await expect(get({ pointer: 'items' })).rejects.toThrow(/start with \//);
  });

  it('refuses what is no JSON, an error status and too large a value', async () => {
    await expect(get({ url: `${base}/thai` })).rejects.toThrow(/not JSON .*สวัสดี/);
    await expect(get({ url: `${base}/missing` })).rejects.toThrow(/status 404/);
    await expect(get({ maxBytes: 10 })).rejects.toThrow(/point deeper/);
  });
});

const check = (url: string) => harness.call('check_url', { url, timeoutMs: 2000 });

describe('check_url', () => {
  it('reports what is up and what is not', async () => {
    expect(await check(`${base}/thai`)).toMatchObject({ up: true, status: 200 });
    expect(await check(`${base}/missing`)).toMatchObject({ up: true, status: 404 });
    expect(await check(`${base}/no-head`)).toMatchObject({ up: true, status: 200 });
    expect(await check(`${base}/broken`)).toMatchObject({ up: false, status: 500, problem: 'status 500' });
    expect(await check(`https://127.0.0.1:${site.port}/`)).toMatchObject({ up: false });
  });
});
