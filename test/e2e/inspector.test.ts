import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';
import { stdioFixture } from './start-fixture.ts';

const script = fileURLToPath(
  new URL(
    '../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
    import.meta.url,
  ),
);

let home: string;
let coordinator: RunningCoordinator;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'git-memory-inspector-'));
  coordinator = await startCoordinator({ servers: 2, mcpServers: { fixture: stdioFixture() } });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

/** Runs the Inspector's command line against `/mcp` and parses what it printed. */
function inspect(era: string, ...args: string[]): Promise<{ code: number; result: Record<string, unknown> }> {
  const all = [
    script,
    '--cli',
    coordinator.url,
    '--transport',
    'http',
    '--format',
    'json',
    '--protocol-era',
    era,
  ];
  return new Promise((resolve, reject) => {
    // It keeps a catalog in the home folder; that of the person who runs the tests is none of its business.
    const env = { ...process.env, HOME: home, USERPROFILE: home };
    const options = { env, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [...all, ...args], options, (error, stdout, stderr) => {
      try {
        const code = error ? Number(error.code) : 0;
        resolve({ code, result: code === 0 ? JSON.parse(stdout).result : { stderr } });
      } catch (cause) {
        reject(new Error(`the Inspector printed: ${stdout}\n${stderr}`, { cause }));
      }
    });
  });
}

describe.each(['legacy', 'modern', 'auto'])('MCP Inspector, %s era', (era) => {
  it('lists tools', async () => {
    const { code, result } = await inspect(era, '--method', 'tools/list');
    expect({ code, result }).toMatchObject({ code: 0 });
    const names = (result['tools'] as { name: string }[]).map((tool) => tool.name);
    expect(names).toEqual(expect.arrayContaining(['memory_store', 'fixture__echo']));
  });

  it('calls a tool', async () => {
    const args = ['--method', 'tools/call', '--tool-name', 'fixture__echo', '--tool-arg', 'text=hello'];
    const { code, result } = await inspect(era, ...args);
    expect({ code, result }).toMatchObject({ code: 0 });
    expect(result['structuredContent']).toEqual({ text: 'hello' });
  });

  it('stores a memory', async () => {
    const input = JSON.stringify({ key: `notes/${era}`, value: { era } });
    const args = ['--method', 'tools/call', '--tool-name', 'memory_store', '--tool-args-json', input];
    const { code, result } = await inspect(era, ...args);
    expect({ code, result }).toMatchObject({ code: 0 });
    expect(result['structuredContent']).toMatchObject({ key: `notes/${era}`, scope: 'shared' });
  });

  it('lists resources and reads one', async () => {
    const { result } = await inspect(era, '--method', 'resources/list');
    const uri = (result['resources'] as { uri: string }[]).find((item) =>
      item.uri.endsWith('static-text'),
    )!.uri;
    const read = await inspect(era, '--method', 'resources/read', '--uri', uri);
    expect(read.result['contents']).toMatchObject([{ uri, mimeType: 'text/plain' }]);
  });
});
