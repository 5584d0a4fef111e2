/** Sync through a real OpenSSH server; Debian has it in `openssh-server`. */

import { delimiter } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type SshServer, startSshServer, whyNoSsh } from '../../../test/fixtures/ssh-server.ts';
import {
  converge,
  createBareRemote,
  headOf,
  openReplica,
  sync,
  valuesOf,
} from '../../../test/fixtures/synced-memories.ts';

const why = whyNoSsh();
if (why !== undefined && process.env['CI'] !== undefined && process.platform !== 'win32')
  throw new Error(why);
if (why !== undefined) console.warn(`the ssh tests are skipped: ${why}`);

describe.skipIf(why !== undefined)('a remote over ssh', () => {
  let server: SshServer;

  beforeEach(async () => {
    server = await startSshServer();
    vi.stubEnv('PATH', `${server.binDir}${delimiter}${process.env['PATH'] ?? ''}`);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server?.[Symbol.asyncDispose]();
  });

  it('brings two replicas together, from an empty repository on', { timeout: 120_000 }, async () => {
    await using remote = await createBareRemote();
    const url = server.urlOf(remote.path);
    await using one = await openReplica({ url });
    await using two = await openReplica({ url });
    await one.call('store', { key: 'อาหาร', value: 'ข้าวผัด' });
    expect(await sync(one)).toMatchObject({ pushed: true, url: url.replace(/\/\/.*@/, '//') });
    await two.call('store', { key: 'b', value: 2 });
    expect(await sync(two)).toMatchObject({ pulled: true, pushed: true });
    for (const replica of [one, two]) await replica.call('increment', { key: 'visits' });
    const head = await converge([one, two]);
    expect(headOf(one)).toBe(head);
    expect(remote.git('rev-parse', 'main').trim()).toBe(head);
    expect(await valuesOf(two)).toEqual({ อาหาร: 'ข้าวผัด', b: 2, visits: 2 });
    expect(remote.git('fsck', '--strict')).toBe('');
    expect(server.log()).toContain('Accepted publickey');
  });

  it('says what to do when it is refused, and asks nothing', { timeout: 120_000 }, async () => {
    await using remote = await createBareRemote();
    await using replica = await openReplica({ url: server.urlOf(remote.path) });
    await using lost = await openReplica({ url: server.urlOf(`${remote.path}.gone`) });
    await expect(sync(lost)).rejects.toThrow('there is no repository');
    await server.forgetUser();
    await expect(sync(replica)).rejects.toThrow('ssh was refused');
    await server.forgetHost();
    await expect(sync(replica)).rejects.toThrow('the host key is not known');
  });
});
