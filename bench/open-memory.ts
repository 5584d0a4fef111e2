/** Opens the memory of a data folder in a fresh process: `node open-memory.ts <folder>`; prints one JSON line. */

import { silentLogger } from '../src/kernel/log.ts';
import { openMemory } from '../src/memory/open-memory.ts';

const [dataDir = ''] = process.argv.slice(2);
const start = performance.now();
await using memory = await openMemory({ dataDir, logger: silentLogger });
const openMs = performance.now() - start;
await memory.call('stats', {}, { actor: 'bench', agent: 'bench' });
process.stdout.write(`${JSON.stringify({ openMs, rssBytes: process.memoryUsage().rss })}\n`);
