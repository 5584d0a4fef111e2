#!/usr/bin/env node
/** The command `git-memory-mcp`. Kept plain, so that an older Node gets as far as the message below. */

const major = Number(process.versions.node.split('.')[0]);

if (major < 24) {
  process.stderr.write(
    `error: git-memory-mcp needs Node.js 24 or newer; this is ${process.version}. Get it from https://nodejs.org\n`,
  );
  process.exitCode = 1;
} else {
  // Compiled code is kept between runs: half the time of a short command. Threads look for it in the environment.
  const { enableCompileCache } = await import('node:module');
  const { directory } = enableCompileCache();
  if (directory !== undefined) {
    const path = await import('node:path');
    process.env.NODE_COMPILE_CACHE ??= path.dirname(directory);
  }
  const { runCli } = await import('./run-cli.ts');
  await runCli(process);
}
