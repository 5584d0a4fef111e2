import { copyFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/e2e/eventually.ts';
import { hasOpenssl, type MadeCertificate, makeCertificate } from '../../../test/fixtures/certificates.ts';
import { createTempFolder } from '../../../test/fixtures/memory-in-temp.ts';
import { loadConfig } from '../../config/load-config.ts';
import { findTlsFiles } from '../../config/resolve-tls.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/log.ts';
import { lookMs, openCertificate } from './certificate.ts';

const canMake = await hasOpenssl();
const dayMs = 86_400_000;
let open: AsyncDisposableStack;
let folder: string;
beforeEach(async () => {
  open = new AsyncDisposableStack();
  folder = open.use(await createTempFolder()).path;
});
afterEach(() => open.disposeAsync());

/** Collects the lines of warn and error. */
function createListener() {
  const lines: string[] = [];
  const take = (_: unknown, text?: string) => void lines.push(text ?? '');
  return { lines, logger: { ...silentLogger, warn: take, error: take, info: take } as typeof silentLogger };
}

async function filesOf({ cert, key }: MadeCertificate) {
  const flags = { 'tls.cert': cert, 'tls.key': key };
  return findTlsFiles(await loadConfig({ env: {}, cwd: folder, flags }), folder)!;
}

async function opened(place: MadeCertificate, startMs = Date.now()) {
  const clock = createFakeClock(startMs);
  const { lines, logger } = createListener();
  const certificate = open.use(await openCertificate({ ...(await filesOf(place)), clock, logger }));
  /** Looks until a line of the log has come. */
  const next = (text: string) =>
    eventually(text, () => {
      clock.advance(lookMs);
      return lines.includes(text) || undefined;
    });
  return { certificate, clock, lines, next };
}

const took = 'took a new certificate';
const kept = 'the new certificate is refused; the old one goes on';

describe.skipIf(!canMake)('a certificate', () => {
  it.each([
    ['renamed onto, as acme.sh and Caddy do', rename],
    ['written over', copyFile],
    [
      'behind a link that is turned, as certbot does',
      async (from: string, to: string) => {
        await unlink(to);
        await symlink(from, to);
      },
    ],
  ])('is taken when it is %s', async (_, put) => {
    const place = await makeCertificate(folder, { name: 'live' });
    const other = await makeCertificate(folder, { name: 'next', days: 60 });
    const { certificate, next } = await opened(place);
    const before = certificate.material.leaf;
    const heard: string[] = [];
    certificate.onChange(({ leaf }) => heard.push(leaf));
    await put(other.cert, place.cert);
    await put(other.key, place.key);
    await next(took);
    expect(certificate.material.leaf).not.toBe(before);
    expect(heard).toEqual([certificate.material.leaf]);
    expect(certificate.secondsLeft).toBeGreaterThan(59 * 86_400);
  });

  it('that is bad, or gone, is refused, and taken once it is good again', async () => {
    const place = await makeCertificate(folder, { name: 'live' });
    const other = await makeCertificate(folder, { name: 'next' });
    const { certificate, lines, next } = await opened(place);
    const before = certificate.material;
    await writeFile(place.cert, '-----BEGIN CERTIFICATE-----\n');
    await next(kept);
    lines.length = 0;
    await rm(place.cert);
    await next(kept);
    lines.length = 0;
    await copyFile(other.cert, place.cert);
    await next(kept);
    expect(certificate.material).toBe(before);
    await copyFile(other.key, place.key);
    await next(took);
    expect(certificate.material).not.toBe(before);
  });

  it('that ends soon is told of, once a day', async () => {
    const place = await makeCertificate(folder, { name: 'live', days: 15 });
    const soon = 'the certificate of tls.cert expires soon; have it renewed';
    const { lines, clock, next } = await opened(place);
    expect(lines).toEqual([]);
    clock.advance(2 * dayMs);
    await next(soon);
    const { length } = lines;
    expect(length).toBeLessThan(3);
    clock.advance(20 * dayMs);
    await next('the certificate of tls.cert has expired; have it renewed');
  });

  it.each([
    ['is over', '20200101000000Z', '20200102000000Z', /tls.cert expired at 2020-01-02T00:00:00.000Z/],
    ['is not valid yet', '20480101000000Z', '20490101000000Z', /tls.cert is not valid before 2048-01-01/],
  ])('that %s is refused at the start', async (_, from, until, problem) => {
    const made = await makeCertificate(folder, { name: 'one', from, until });
    await expect((await filesOf(made)).read(Date.now())).rejects.toThrow(problem);
  });

  it('with a sealed key, or a folder for a file, is refused by the field', async () => {
    const made = await makeCertificate(folder, { name: 'one' });
    const sealed = join(folder, 'sealed.key');
    await writeFile(
      sealed,
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
    );
    const read = async (key: string) => (await filesOf({ ...made, key })).read(Date.now());
    await expect(read(sealed)).rejects.toThrow(/tls.key has a passphrase/);
    await expect(read(folder)).rejects.toThrow(/tls.key cannot be read: EISDIR/);
  });
});

it.each([
  [{ clientAuth: 'require' }, /tls.clientAuth needs TLS/],
  [{ cert: 'a', key: 'b', clientAuth: 'require' }, /tls.clientCa is missing/],
  [{ cert: 'a', key: 'b', clientCa: 'c' }, /tls.clientAuth is none/],
])('settings that do not go together are refused: %j', async (tls, problem) => {
  const flags = Object.fromEntries(Object.entries(tls).map(([name, value]) => [`tls.${name}`, value]));
  const loaded = await loadConfig({ env: {}, cwd: folder, flags });
  expect(() => findTlsFiles(loaded, folder)).toThrow(problem);
});
