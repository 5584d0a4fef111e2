/** The conformance fixture as an upstream: a config entry for stdio, a child process for HTTP. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

export const fixturePath = fileURLToPath(new URL('../fixtures/conformance-server/main.ts', import.meta.url));

export type FixtureEra = 'legacy' | 'modern' | 'both';

/** An `mcpServers` entry that launches the fixture; its lists come in pages of four. */
export function stdioFixture(era: FixtureEra = 'both'): Record<string, unknown> {
  return { command: process.execPath, args: [fixturePath, '--stdio', '--era', era, '--page-size', '4'] };
}

/** The fixture listening on a free port. */
export interface HttpFixture extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** An `mcpServers` entry that points to it. */
  readonly entry: Record<string, unknown>;
}

/** Starts the fixture as an HTTP server; `pageSize` 0 gives whole lists, port 0 takes a free one. */
export async function startHttpFixture(
  era: FixtureEra = 'both',
  { pageSize = 4, port = 0 } = {},
): Promise<HttpFixture> {
  const paging = pageSize > 0 ? ['--page-size', String(pageSize)] : [];
  const child = spawn(process.execPath, [fixturePath, '--http', String(port), '--era', era, ...paging], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await eventually('the URL of the fixture', () => /^http\S+\n/m.exec(stdout)?.[0].trim());
  return {
    url,
    pid: child.pid!,
    entry: { url },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
