import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { descendantsOf, whenGone } from './processes.ts';
import { mainPath } from './start-coordinator.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'git-memory-stop-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Names itself in a file and never answers, nor leaves when its input ends. */
const mute = `require('node:fs').writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1000);`;

async function shutDown(): Promise<void> {
  const { url } = JSON.parse(await readFile(join(folder, 'data', 'coordinator.json'), 'utf8')) as {
    url: string;
  };
  await fetch(`${url}/api/v1/shutdown`, { method: 'POST' });
}

// Windows has no SIGTERM.
it.each(process.platform === 'win32' ? ['REST'] : ['SIGTERM', 'REST'])(
  'a stop by %s while servers start begins no more of them and leaves none alive',
  async (way) => {
    const names = Array.from({ length: 12 }, (_, n) => `mute-${n}`);
    const entries = names.map((name) => {
      const args = ['-e', mute, join(folder, `${name}.pid`)];
      return [name, { command: process.execPath, args }] as const;
    });
    const config = join(folder, 'config.yaml');
    const settings = { mcpServers: Object.fromEntries(entries), limits: { startConcurrency: 3 } };
    await writeFile(config, JSON.stringify(settings));
    const args = [
      'start',
      '--servers',
      '0',
      '--port',
      '0',
      '--data',
      join(folder, 'data'),
      '--config',
      config,
    ];
    const child = spawn(process.execPath, [mainPath, ...args, '--json'], { cwd: folder, stdio: 'ignore' });
    const exited = once(child, 'exit');
    try {
      const started = await eventually('the first servers', async () => {
        const pids = await descendantsOf(child.pid!);
        return pids.length >= 3 ? pids : undefined;
      });
      if (way === 'REST') await shutDown();
      else child.kill('SIGTERM');
      expect((await exited)[0]).toBe(0);
      await whenGone(started);
      const begun = (await readdir(folder)).filter((name) => name.endsWith('.pid'));
      expect(begun.length).toBeLessThanOrEqual(3);
    } finally {
      child.kill('SIGKILL');
    }
  },
);
