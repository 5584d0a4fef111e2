import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { callTool, makeToolContext } from '../../../test/fixtures/tool-context.ts';
import server from './system-monitoring.ts';

type Answer = Record<string, unknown>;

async function call<T = Answer>(tool: string, args: object = {}, signal?: AbortSignal): Promise<T> {
  await using context = await makeToolContext(server, signal ? { signal } : {});
  return await callTool<T>(server, tool, args, context);
}

const isLinux = process.platform === 'linux';

describe('system-monitoring', () => {
  it('gives an overview of this machine', async () => {
    const overview = await call<{ memory: { totalBytes: number; availableBytes: number }; cpuCores: number }>(
      'system_overview',
    );
    expect(overview).toMatchObject({ platform: process.platform, architecture: process.arch });
    expect(overview.cpuCores).toBeGreaterThan(0);
    expect(overview.memory.availableBytes).toBeLessThanOrEqual(overview.memory.totalBytes);
  });

  it('measures processors, memory, disks and interfaces', async () => {
    const cpu = await call<{ total: { busyPercent: number } }>('cpu_usage', { intervalMs: 100 });
    expect(cpu.total.busyPercent).toBeGreaterThanOrEqual(0);
    expect(cpu.total.busyPercent).toBeLessThanOrEqual(100);
    const { disks } = await call<{ disks: { totalBytes: number }[] }>('disk_usage');
    expect(disks.length).toBeGreaterThan(0);
    expect(disks.every((disk) => disk.totalBytes > 0)).toBe(true);
    const { interfaces } = await call<{ interfaces: { internal: boolean }[] }>('network_interfaces', {
      includeInternal: false,
    });
    expect(interfaces.every((row) => !row.internal)).toBe(true);
    expect(await call('memory_usage')).toHaveProperty('usedPercent');
  });

  it('finds a process and shows it without its secrets', async () => {
    const secret = 'hunter2hunter2';
    const script = 'setInterval(() => {}, 1000)';
    const child = spawn(process.execPath, ['-e', script, '--', `--password=${secret}`, '--token', secret], {
      env: { ...process.env, MY_API_KEY: secret },
      stdio: 'ignore',
    });
    try {
      await new Promise((resolve) => child.once('spawn', resolve));
      const list = await call<{ processes: { pid: number }[] }>('processes', {
        limit: 200,
        sortBy: 'memory',
        intervalMs: 100,
        name: 'SETINTERVAL',
      });
      expect(list.processes.some((row) => row.pid === child.pid)).toBe(true);
      const info = await call<{ process: { command: string } }>('process_info', {
        pid: child.pid,
        intervalMs: 100,
      });
      expect(info).toMatchObject({ process: { pid: child.pid } });
      expect(JSON.stringify([list, info])).not.toContain(secret);
      if (isLinux) {
        expect(info).toMatchObject({
          process: { parentPid: process.pid },
          details: { executable: expect.any(String) as string },
        });
        expect(info.process.command).toContain('--password=***');
        const own = await call<{ children: { pid: number }[] }>('process_info', {
          pid: process.pid,
          intervalMs: 100,
        });
        expect(own.children.map((row) => row.pid)).toContain(child.pid);
      }
    } finally {
      child.kill('SIGKILL');
    }
    await expect(call('process_info', { pid: 4_194_303, intervalMs: 100 })).rejects.toThrow(
      'there is no process 4194303',
    );
  });

  it('finds a listening port and its process', async () => {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const address = listener.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    try {
      const answer = call('listening_ports', { port });
      if (isLinux) {
        expect(await answer).toEqual({
          ports: [
            expect.objectContaining({
              protocol: 'tcp',
              address: '127.0.0.1',
              port,
              reachable: 'this-machine',
              pid: process.pid,
            }) as unknown,
          ],
        });
      } else await expect(answer).rejects.toThrow('reads /proc/net');
    } finally {
      listener.close();
    }
  });

  it('judges the machine by thresholds', async () => {
    const strict = await call<{ findings: { metric: string }[] }>('health_check', {
      thresholds: { memoryPercent: 1, diskPercent: 1 },
    });
    expect(strict).not.toMatchObject({ status: 'healthy' });
    expect(strict.findings.map((finding) => finding.metric)).toContain('memoryPercent');
    expect(await call('health_check')).toHaveProperty('status');
  });

  it('samples with progress, and stops at once when cancelled', async () => {
    await using context = await makeToolContext(server);
    const answer = await callTool<{ samples: unknown[] }>(
      server,
      'sample_metrics',
      { samples: 3, intervalMs: 100 },
      context,
    );
    expect(answer.samples).toHaveLength(3);
    expect(context.progressUpdates.map((update) => update.progress)).toEqual([1, 2, 3]);
    const controller = new AbortController();
    const work = call('sample_metrics', { samples: 5, intervalMs: 10_000 }, controller.signal);
    controller.abort();
    await expect(work).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    await expect(call('cpu_usage', { intervalMs: 5000 }, controller.signal)).rejects.toMatchObject({
      code: 'REQUEST_CANCELLED',
    });
    await expect(call('sample_metrics', { samples: 100, intervalMs: 10_000 })).rejects.toThrow(
      'the limit is 60000',
    );
  });
});
