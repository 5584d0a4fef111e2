/** What a person sees: the verbs on a pseudo-terminal, which `script` of util-linux gives. */

import { spawn, spawnSync } from 'node:child_process';
import { readFile, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { displayWidth, plainText } from '../../src/cli/output.ts';
import { eventually } from '../e2e/eventually.ts';
import { mainPath } from './run-command.ts';
import { useCommandLine } from './use-command-line.ts';

/** Part of util-linux. */
const terminal = 'script';
const hasTerminal = process.platform === 'linux' && spawnSync(terminal, ['--version']).status === 0;
if (!hasTerminal && process.env['CI'] !== undefined && process.platform === 'linux')
  throw new Error('script (util-linux) is missing');
if (!hasTerminal) console.warn('no pseudo-terminal here: the terminal tests are skipped');

const cli = useCommandLine();

/** Runs a verb on a terminal; `keys` are typed when `prompt` shows. */
async function onTerminal(
  args: readonly string[],
  env: Record<string, string> = {},
  steps: readonly { prompt: string; keys: string }[] = [],
) {
  // `script` takes one command line: the values here hold nothing that a shell would read. Its terminal has no size.
  const line = `stty cols 160 rows 40; exec ${[process.execPath, mainPath, ...args].join(' ')}`;
  const child = spawn(terminal, ['-qec', line, '/dev/null'], {
    cwd: cli.sandbox.project,
    env: { ...cli.sandbox.env, GIT_MEMORY_MCP_URL: cli.double.url, TERM: 'xterm', ...env },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  for (const { prompt, keys } of steps) {
    await eventually(prompt, () => (output.includes(prompt) ? true : undefined));
    child.stdin.write(keys);
  }
  return { code: await code, output: output.replaceAll('\r\n', '\n') };
}

describe.skipIf(!hasTerminal)('on a terminal', () => {
  it('shows an aligned table with a header, in colour unless NO_COLOR', async () => {
    const { output } = await onTerminal(['memory', 'list']);
    expect(output).toContain(
      '\u001B[1mKEY  UPDATED                   ETAG          TAGS\u001B[22m\na/b  2026-11-21T00:00:00.000Z  aaaaaaaaaaaa  x, y\n',
    );
    expect((await onTerminal(['memory', 'list'], { NO_COLOR: '1' })).output).not.toContain('\u001B[1m');
    expect((await onTerminal(['servers', 'list', '--category', 'iot'])).output).toContain('nothing to show');
  });

  it('shows the words of a search in bold', async () => {
    const { output } = await onTerminal(['memory', 'search', 'two', 'words']);
    expect(output).toContain('  0.5  shared  a    \u001B[1mtwo\u001B[22m words\n');
  });

  it('shows remotes with a header', async () => {
    const { output } = await onTerminal(['memory', 'sync'], { NO_COLOR: '1' });
    expect(output).toMatch(/^REMOTE +STATE +AHEAD +BEHIND +LAST +NEXT +URL\norigin +ok +0 +2 /m);
  });

  it('indents JSON', async () => {
    expect((await onTerminal(['memory', 'list', '--json'])).output).toMatch(/^\{\n {2}"items": \[/);
  });

  it('asks which servers to take over, and takes no for an answer', async () => {
    await mkdir(join(cli.sandbox.home, '.cursor'), { recursive: true });
    const servers = { one: { command: 'a' }, two: { command: 'b' } };
    await writeFile(join(cli.sandbox.home, '.cursor', 'mcp.json'), JSON.stringify({ mcpServers: servers }));
    const { code } = await onTerminal(['init'], {}, [
      { prompt: 'Which shall the coordinator run?', keys: ' \r' },
    ]);
    expect(code).toBe(0);
    const text = await readFile(join(cli.sandbox.project, 'git-memory.config.yaml'), 'utf8');
    expect(text).toContain('mcpServers:\n  two:\n    command: b\n');
    const again = await onTerminal(['init', '--no-import'], {}, [
      { prompt: 'exists. Replace it?', keys: '\r' },
    ]);
    expect(again.output).toContain('exists, unchanged');
    expect(await readFile(join(cli.sandbox.project, 'git-memory.config.yaml'), 'utf8')).toBe(text);
    expect(await onTerminal(['init'], {}, [{ prompt: 'Which shall', keys: '\u0003' }])).toMatchObject({
      code: 130,
    });
  });

  it('shows a bar while it starts, and a clean end', async () => {
    await writeFile(join(cli.sandbox.project, 'empty.yaml'), '');
    const { code, output } = await onTerminal(
      ['start', '--servers', '2', '--port', '0', '--data', 'bar', '--config', 'empty.yaml'],
      {},
      [{ prompt: 'servers  ', keys: '\u0003' }],
    );
    expect(output).toMatch(/starting {2}.*█.* {2}2\/2/);
    expect(output).toContain('CATEGORY  INSTANCES  PORTS');
    expect(output).toContain('stopping; press Ctrl-C again to stop at once');
    expect([code, output.trimEnd().split('\n').at(-1)]).toEqual([0, 'stopped']);
  });
});

describe('text for terminals', () => {
  it.each([
    ['abc', 3],
    ['สวัสดี', 4],
    ['日本', 4],
    ['e\u0301', 1],
    ['👨‍👩‍👧', 2],
    ['', 0],
  ])('%s is %i wide', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('loses escape sequences, controls and direction marks, keeps the rest', () => {
    expect(plainText('a\u001B[31mb\u001B]0;title\u0007c\u0000\u202Ed\n\tสวัสดี\r')).toBe('abcd\n\tสวัสดี');
  });
});
