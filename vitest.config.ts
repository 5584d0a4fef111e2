import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// The threads and processes that tests start by the hundred find their modules compiled.
process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'git-memory-mcp-compile-cache');

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
