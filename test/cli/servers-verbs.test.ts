import { describe, expect, it } from 'vitest';
import { at, server } from './coordinator-double.ts';
import { useCommandLine } from './use-command-line.ts';

const cli = useCommandLine();

const run = (args: string[], input?: string) => cli.run(args, input === undefined ? {} : { input });
const json = async (args: string[]) => JSON.parse((await run([...args, '--json'])).stdout) as unknown;

describe('output', () => {
  it('is tab-separated in a pipe, walks all pages, and is safe to show', async () => {
    const { stdout, stderr, code } = await run(['servers', 'list']);
    expect(stdout.split('\n')).toEqual([
      'sqlite-3104\tdatabase\t3104\tin-process\tbuilt-in\tready\t1\t2026-11-21T00:00:00.000Z\t2\t3\t0\t\t\t',
      'evil-1\tdatabase\t3104\tin-process\tbuilt-in\tunhealthy\t1\t2026-11-21T00:00:00.000Z\t2\t3\t0\t\tab c d\t',
      '',
    ]);
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('is JSON with --json, one line in a pipe', async () => {
    expect(await json(['servers', 'list', '--limit', '1'])).toEqual({ items: [server] });
    expect(await json(['status'])).toMatchObject({ uptimeSeconds: 61.5, servers: { total: 1 } });
    expect((await run(['memory', 'stats', '--json'])).stdout.trimEnd().split('\n')).toHaveLength(1);
  });

  it('is empty when there is nothing', async () => {
    expect((await run(['servers', 'list', '--category', 'iot'])).stdout).toBe('');
  });

  it('shows facts as names and values', async () => {
    const { stdout } = await run(['servers', 'inspect', 'sqlite-3104']);
    expect(stdout).toContain('identity\tsqlite 1\n');
    expect(stdout).toContain('replica bounds\t1 to 4, set by hand\n');
    expect(stdout).toContain(
      'queue\t3 of 100 wait, 5000 ms at most; 4 calls a replica; priority normal; 9 refused\n',
    );
    expect(stdout).toContain(`decision 1\t${at}, 1 to 2: 7 calls at a time; 4 a replica are aimed for\n`);
    expect((await run(['status'])).stdout).toContain('servers\t1 (1 ready)\n');
    expect((await run(['servers', 'logs', 'x'])).stdout).toBe(`${at}\thello world\n`);
  });
});

describe('servers', () => {
  it('are scaled to a number, to bounds, or back', async () => {
    const { stdout } = await run(['servers', 'scale', 'sqlite-3104', 'docs', '--min', '1', '--max', '4']);
    const change = 'min 1 → 1, max 1 → 4';
    expect(stdout).toBe(`sqlite-3104\tdone\tready\t${change}\t\ndocs\tdone\tready\t${change}\t\n`);
    await run(['servers', 'scale', 'docs', '--replicas', '3']);
    await run(['servers', 'scale', '--select', 'tag=busy', '--reset']);
    const operation = 'scale';
    expect(cli.double.seen.map(({ body }) => body)).toEqual([
      { operation, ids: ['sqlite-3104', 'docs'], min: 1, max: 4 },
      { operation, ids: ['docs'], replicas: 3 },
      { operation, select: 'tag=busy', reset: true },
    ]);
  });

  it('are not scaled without a number, with two kinds of them, or to none', async () => {
    for (const args of [
      [],
      ['--replicas', '2', '--min', '1'],
      ['--reset', '--max', '2'],
      ['--replicas', '0'],
    ])
      expect(await run(['servers', 'scale', 'docs', ...args])).toMatchObject({ code: 2 });
    expect(cli.double.seen).toEqual([]);
  });

  it('adds a command with references, never a secret', async () => {
    await run([
      'servers',
      'add',
      'files',
      '--env',
      'TOKEN=env:MY_TOKEN',
      '--env',
      'LEVEL=debug',
      '--lazy',
      '--',
      'npx',
      '-y',
      'x',
      '--flag',
    ]);
    expect(cli.double.seen[0]?.body).toEqual({
      name: 'files',
      entry: {
        command: 'npx',
        args: ['-y', 'x', '--flag'],
        env: { TOKEN: { env: 'MY_TOKEN' }, LEVEL: 'debug' },
        lazy: true,
      },
    });
  });

  it('adds a URL, a built-in and a whole entry', async () => {
    await run([
      'servers',
      'add',
      'docs',
      'https://x.example/mcp',
      '--header',
      'A=file:t',
      '--category',
      'api',
    ]);
    await run(['servers', 'add', 'more', '--builtin', 'sqlite', '--port', '3105']);
    await run(['servers', 'add', 'whole', '--entry', '-'], '{"command": "x"}');
    expect(cli.double.seen.map(({ body }) => (body as { entry: unknown }).entry)).toEqual([
      { url: 'https://x.example/mcp', headers: { A: { file: 't' } }, category: 'api' },
      { builtin: 'sqlite', port: 3105 },
      { command: 'x' },
    ]);
  });

  it('refuses a wrong entry before it asks anyone, naming the nearest key', async () => {
    const { code, stderr } = await run(['servers', 'add', 'x', '--entry', '-'], '{"comand": "x"}');
    expect([code, cli.double.seen]).toEqual([3, []]);
    expect(stderr).toContain(
      'error CONFIG_INVALID: server x: unknown key "comand" in mcpServers.x; did you mean "command"?',
    );
  });

  it('does one thing to several, and ends with the code of the first that failed', async () => {
    expect((await run(['servers', 'stop', 'a', 'b'])).stdout).toBe(
      'a\tdone\tstopped\t\t\nb\tdone\tstopped\t\t\n',
    );
    expect(await run(['servers', 'remove', 'gone', 'ü/b'])).toMatchObject({
      code: 4,
      stdout: 'gone\tfailed\t\t\tserver not found: gone\nü/b\tdone\tready\t\t\n',
      stderr: '1 of 2 failed\n',
    });
  });

  it('takes ids or a selector', async () => {
    await run(['servers', 'restart', '--select', 'state=unhealthy', '--dry-run']);
    expect(cli.double.seen[0]?.body).toEqual({
      operation: 'restart',
      select: 'state=unhealthy',
      dryRun: true,
    });
    expect(await run(['servers', 'start', 'a', '--select', 'id=*'])).toMatchObject({ code: 2 });
    expect(await run(['servers', 'start'])).toMatchObject({
      code: 2,
      stderr: 'error INVALID_INPUT: --select: give either ids or a selector\n',
    });
  });

  it('configures with values as JSON or text, and shows what they were', async () => {
    const set = ['--set', 'timeoutMs=5', '--set', 'title=My DB', '--set', 'health.failures=3'];
    const { stdout } = await run(['servers', 'configure', 'a', ...set, '--unset', 'lazy']);
    expect(cli.double.seen[0]?.body).toEqual({
      operation: 'configure',
      ids: ['a'],
      set: { timeoutMs: 5, title: 'My DB', health: { failures: 3 } },
      unset: ['lazy'],
    });
    expect(stdout).toContain('timeoutMs null → 5');
    await run(['servers', 'scale', 'a', '--replicas', '3']);
    await run(['servers', 'quarantine', 'a', '--reason', 'odd']);
    expect(cli.double.seen.slice(1).map(({ body }) => body)).toEqual([
      { operation: 'scale', ids: ['a'], replicas: 3 },
      { operation: 'quarantine', ids: ['a'], reason: 'odd' },
    ]);
  });
});

describe('deployment', () => {
  it('goes phase by phase and ends with 8 at the first that was rolled back', async () => {
    const { code, stdout, stderr } = await run(['servers', 'deploy', '--all']);
    expect(code).toBe(8);
    expect(stdout.split('\n').map((line) => line.split('\t').slice(0, 8).join(' '))).toEqual([
      '1 deployed 2 48 3.5 3 1.5 2',
      '2 deployed 2 48 3.5 3 1.5 2',
      '3 rolled-back 2 48 3.5 3 1.5 2',
      '',
    ]);
    expect(stderr).toContain('phase 3: check: out of order (a, b, c, d, e and 1 more)');
  });

  it('takes out, shows phases and reports, and wants to know what', async () => {
    expect((await run(['servers', 'undeploy', '--phase', '2'])).stdout).toMatch(/^2\tremoved\t/);
    expect((await run(['servers', 'deployments'])).stdout).toBe(
      '1\tdeployed\t20\tCore\t10 database, 10 api\n',
    );
    expect((await run(['servers', 'deployments', '--reports'])).stdout).toMatch(/^1\tdeployed\t2\t48\t/);
    expect(await run(['servers', 'deploy'])).toMatchObject({ code: 2 });
    expect(await run(['servers', 'deploy', '--phase', '21'])).toMatchObject({ code: 2 });
  });
});

describe('pins', () => {
  it('shows changes, safe to print, with the state on standard error', async () => {
    expect(await run(['servers', 'changes', 'docs'])).toMatchObject({
      stdout: [
        '> read > get  renamed',
        '    description',
        '      - Reads.',
        '      + Reads. And sends.',
        '+ x  added',
        '    parameter a',
        '      + {"type":"string"}',
        '',
      ].join('\n'),
      stderr: 'docs: quarantined, held back: get\n',
    });
  });

  it('approves several, and says why not', async () => {
    expect((await run(['servers', 'approve', 'a', 'b'])).stdout).toBe('a\tapproved\t\nb\tapproved\t\n');
    expect(await run(['servers', 'revert', 'a'])).toMatchObject({
      code: 2,
      stderr: 'error INVALID_INPUT: id: a is not pinned\n',
    });
  });
});

describe('tools', () => {
  it('lists and calls', async () => {
    expect((await run(['tools', 'list'])).stdout).toBe('sqlite__query\tsqlite-3104\tRuns SQL.\n');
    const { stdout } = await run(['tools', 'call', 't', '{"a": 1}', '--arg', 'b=[2]', '--arg', 'c=text=x']);
    expect(stdout).toBe('{"a":1,"b":[2],"c":"text=x"}\n[image image/png, 3 B]\n');
  });

  it('ends with 1 when the tool failed, with the table for the rest', async () => {
    expect(await run(['tools', 'call', 'fails'])).toMatchObject({ code: 1, stdout: 'no such table\n' });
    expect(await run(['tools', 'call', 'gone'])).toMatchObject({
      code: 4,
      stderr: 'error TOOL_NOT_FOUND: unknown tool: gone\n',
    });
    expect(await run(['tools', 'call', 't', '[1]'])).toMatchObject({
      code: 2,
      stderr: 'error INVALID_INPUT: arguments: must be a JSON object\n',
    });
  });
});

describe('bundles', () => {
  it('lists, shows and removes', async () => {
    expect((await run(['bundles', 'list'])).stdout).toBe('support\tadded\t1\t1\t\n');
    expect(await run(['bundles', 'show', 'support'])).toMatchObject({
      stdout: 'find\tsqlite__query\t{"db":"a"}\n',
      stderr: 'http://127.0.0.1:3000/mcp/bundles/support\nmissing: gone\n',
    });
    expect(await json(['bundles', 'remove', 'a', 'b'])).toEqual({ removed: ['a', 'b'] });
  });

  it('adds tools with new names and settled arguments', async () => {
    const tools = ['--tool', 'memory_*', '--tool', 'sqlite__query=find'];
    const set = ['--set', 'find.database=tickets.db', '--set', 'find.limit=5'];
    const { stderr } = await run(['bundles', 'add', 'support', ...tools, ...set, '--title', 'Support']);
    expect(cli.double.seen.at(-1)?.body).toEqual({
      title: 'Support',
      tools: [
        { tool: 'memory_*' },
        { tool: 'sqlite__query', name: 'find', arguments: { database: 'tickets.db', limit: 5 } },
      ],
    });
    expect(stderr).toContain('added support with 1 tools');
    expect(stderr).toContain('warning: there is no tool gone now');
  });

  it('says what is missing', async () => {
    expect(await run(['bundles', 'add', 'x'])).toMatchObject({ code: 2 });
    expect((await run(['bundles', 'add', 'x', '--tool', 'a', '--set', 'b.c=1'])).stderr).toContain(
      'where the name is one of: a',
    );
    expect(cli.double.seen).toEqual([]);
  });
});

describe('discovery and reload', () => {
  it('tells what a reload did, and fails when a server could not be taken', async () => {
    const { stdout, stderr, code } = await run(['config', 'reload']);
    expect(stdout).toBe('added\tnew\t\nremoved\told\t\nfailed\tbad\tno such program\n');
    expect(stderr).toContain('holds after the next start: port');
    expect(code).toBe(8);
    expect(await json(['config', 'reload'])).toMatchObject({ needsRestart: ['port'] });
  });

  it('shows sources with what is wrong there, and changes', async () => {
    expect((await run(['servers', 'sources'])).stdout.split('\n')).toEqual([
      'folder\t/d\t1\t/d/x.json: is not valid JSON',
      'client\t\tdocs\tgave way to docs (config)',
      'folder\t\tbad\tno such program',
      '',
    ]);
    expect((await run(['servers', 'history'])).stdout).toBe(`${at}\tadded\tnew\tfolder\t/d/new.json\t\n`);
  });

  it('registers once and tells the lease', async () => {
    const { stderr } = await run(['servers', 'register', 'a', 'http://10.0.0.7/mcp', '--ttl', '9', '--once']);
    expect(stderr).toContain('lease: l');
    expect(cli.double.seen[0]?.body).toEqual({ name: 'a', url: 'http://10.0.0.7/mcp', ttlSeconds: 9 });
  });
});
