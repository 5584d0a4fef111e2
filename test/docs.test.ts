/** What the documents say about the repository is true: files, links, scripts, and the tables made from code. */

import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { phases } from '../src/catalog/phases.ts';
import { routes } from '../src/contract/rest/routes.ts';
import { errorTable } from '../src/kernel/error-table.ts';
import { metricPrefix, metricTable } from '../src/metrics/metric-table.ts';
import { startEdge } from './fixtures/http-edge.ts';
import { createScriptedUpstream } from './fixtures/scripted-upstream.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).map((path) => path.split(sep).join('/'));
const manifest = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};

/** Cells of all table rows, padding and rule lines left out; `\|` is a bar inside a cell. */
function tableRows(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|:-]+$/.test(line))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}

/** The part of a document under a heading, up to the next one of the same depth. */
function section(markdown: string, heading: string): string {
  const [, rest = ''] = markdown.split(`\n${heading}\n`);
  const depth = heading.slice(0, heading.indexOf(' '));
  return rest.split(`\n${depth} `)[0] ?? '';
}

/** Anchors of a document's headings, as hosts of Git repositories make them. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
  const slug = (text: string) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  return new Set(headings.map(slug));
}

function brokenLinks(path: string): string[] {
  const targets = [...read(path).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const full = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(root, full))) return true;
    return anchor !== undefined && !anchorsOf(read(full)).has(decodeURIComponent(anchor));
  });
}

describe('documents', () => {
  it('are found', () => {
    expect(documents).toEqual(
      expect.arrayContaining(['README.md', 'README.th.md', 'CONTRIBUTING.md', 'docs/architecture.md']),
    );
  });

  it.each(documents)('%s has no link that leads nowhere', (path) => {
    expect(brokenLinks(path)).toEqual([]);
  });

  // Reference pages show the files of their readers, not ours.
  it.each(documents.filter((path) => !path.startsWith('docs/reference/')))(
    '%s names only files that exist',
    (path) => {
      const named = [...read(path).matchAll(/(?<![\w/.-])(?:src|test|bench|docs|\.ci)\/[\w./<>*-]*[\w/]/g)];
      // `<name>` and `*` stand for any name, and `NNNN` for a number.
      const paths = named.map(([name]) => name).filter((name) => !/[<>*]|NNNN/.test(name));
      expect(paths.filter((name) => !existsSync(join(root, name)))).toEqual([]);
    },
  );

  it.each(documents)('%s finds each function in the file it names', (path) => {
    const named = [...read(path).matchAll(/`(\w+)`(?:\s+of\s+`\w+`)?\s+in\s+`(src\/[\w/.-]+\.ts)`/g)];
    const wrong = named.filter(([, name = '', file = '']) => !new RegExp(`\\b${name}\\b`).test(read(file)));
    expect(wrong.map(([text]) => text)).toEqual([]);
  });

  it.each(documents)('%s names only scripts of package.json', (path) => {
    const named = [...read(path).matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? '');
    expect(named.filter((script) => !(script in manifest.scripts))).toEqual([]);
  });

  it('keep each README on one screen, and both say the same', () => {
    const [english, thai] = ['README.md', 'README.th.md'].map(read) as [string, string];
    expect(Math.max(english.split('\n').length, thai.split('\n').length)).toBeLessThanOrEqual(71);
    const links = (text: string) =>
      [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map((match) => match[1])
        .filter((to) => !to?.startsWith('README'));
    const commands = (text: string) => [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]);
    expect(links(thai)).toEqual(links(english));
    expect(commands(thai)).toEqual(commands(english));
    expect(thai.match(/^#+(?= )/gm)).toEqual(english.match(/^#+(?= )/gm));
  });
});

const byPath = (a: readonly (string | undefined)[], b: readonly (string | undefined)[]): number =>
  `${a[1]} ${a[0]}` < `${b[1]} ${b[0]}` ? -1 : 1;

describe('tables', () => {
  it('name a test for every threat', () => {
    const rows = tableRows(read('docs/security.md')).filter(([, threat]) => threat !== 'threat');
    expect(rows.length).toBeGreaterThan(30);
    const missing = rows.filter(([, , , shown = '']) => {
      const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(shown) ?? [];
      return title === '' || !read(file).includes(title);
    });
    expect(missing).toEqual([]);
  });

  it('list every route of the contract', () => {
    const rows = tableRows(section(read('docs/guides/gateway.md'), '## REST API')).slice(1);
    const expected = Object.values(routes).map((route) => [route.method, `\`${route.path}\``, route.summary]);
    expect(rows.toSorted(byPath)).toEqual(expected.toSorted(byPath));
  });

  it('list every phase', () => {
    const rows = tableRows(section(read('docs/guides/deployment.md'), '## The phases')).slice(1);
    const expected = phases.map(({ phase, shares }) => [
      String(phase),
      shares.map(({ category, count }) => `${count} ${category}`).join(', '),
    ]);
    expect(rows.map((row) => row.slice(0, 2))).toEqual(expected);
  });

  it('list every error code', () => {
    const rows = tableRows(section(read('docs/guides/gateway.md'), '## Errors')).slice(1);
    const expected = Object.entries(errorTable).map(([code, row]) =>
      [`\`${code}\``, row.http, row.jsonRpc, row.exit, row.retry].map(String),
    );
    expect(rows).toEqual(expected);
  });

  it('list every metric', () => {
    const rows = tableRows(section(read('docs/guides/metrics.md'), '## The metrics')).slice(1);
    const expected = Object.entries(metricTable).map(([name, { type, labels, help }]) => [
      `\`${metricPrefix}${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]);
    expect(rows).toEqual(expected);
  });

  it('give a reason for every runtime dependency', () => {
    const rows = tableRows(read('docs/adr/0012-dependencies.md')).slice(1);
    expect(rows.map(([name]) => name)).toEqual(
      Object.keys(manifest.dependencies).map((name) => `\`${name}\``),
    );
    expect(rows.filter(([, , reason]) => !reason)).toEqual([]);
  });

  it('list every architecture decision in order, without a gap', () => {
    const names = globSync('*.md', { cwd: join(root, 'docs/adr') }).sort();
    expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, index) => index + 1));
  });

  it('repeat the import table of the architecture test', () => {
    const rows = tableRows(section(read('docs/architecture.md'), '## Who imports whom')).slice(1);
    const documented = rows.map(([folder = '', imports = '']) => [
      folder.replaceAll('`', ''),
      imports === '—' ? [] : imports.replaceAll('`', '').split(', '),
    ]);
    const source = read('test/architecture.test.ts');
    const table = /const table[^=]*= \{([\s\S]*?)\n\};/.exec(source)?.[1] ?? '';
    const checked = [...table.matchAll(/^\s*(\w+): \[([^\]]*)\]/gm)].map(([, folder, list = '']) => [
      folder,
      [...list.matchAll(/'(\w+)'/g)].map((match) => match[1]),
    ]);
    expect(checked.length).toBeGreaterThan(5);
    expect(documented).toEqual(checked);
  });

  it.skipIf(process.platform === 'win32')('mark .ci/run as a program', () => {
    expect(statSync(join(root, '.ci/run')).mode & 0o111).not.toBe(0);
  });
});

describe('examples of the gateway guide', () => {
  interface Example {
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body: string;
  }

  /** The `curl` commands that speak to `/mcp`, as requests. */
  function mcpExamples(): Example[] {
    const guide = section(read('docs/guides/gateway.md'), '## Try it');
    const commands = [...guide.matchAll(/^curl (?:[^\n]*\\\n)+[^\n]*/gm)].map(([command]) => command);
    return commands.map((command) => ({
      path: /http:\/\/127\.0\.0\.1:3000(\S+)/.exec(command)?.[1] ?? '',
      headers: Object.fromEntries(
        [...command.matchAll(/-H '([^:]+): ([^']*)'/g)].map((match) => match.slice(1)),
      ),
      body: /-d '([^']*)'/.exec(command)?.[1] ?? '',
    }));
  }

  it('work as they are written', async () => {
    const tools = [{ name: 'echo', inputSchema: { type: 'object' } }];
    const upstream = createScriptedUpstream('legacy', { 'tools/list': () => ({ tools }) });
    await using edge = await startEdge({ demo: upstream });
    const examples = mcpExamples();
    expect(examples).toHaveLength(3);
    let sessionId = '';
    const results: unknown[] = [];
    for (const { path, headers, body } of examples) {
      if ('Mcp-Session-Id' in headers) headers['Mcp-Session-Id'] = sessionId;
      const response = await fetch(edge.url + path, { method: 'POST', headers, body });
      sessionId = response.headers.get('mcp-session-id') ?? sessionId;
      results.push(((await response.json()) as { result: unknown }).result);
    }
    const listed = { tools: [expect.objectContaining({ name: 'demo__echo' })] };
    expect(results).toEqual([
      expect.objectContaining({ protocolVersion: '2025-11-25' }),
      expect.objectContaining(listed),
      expect.objectContaining({ resultType: 'complete', ...listed }),
    ]);
  });
});
