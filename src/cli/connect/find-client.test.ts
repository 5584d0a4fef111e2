import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownCommand } from './find-client.ts';

const folder = resolve('/work folder/งาน');
const built = join('git-memory-mcp-server', 'dist', 'cli', 'main.js');

describe('the command that a person types', () => {
  it.each([
    ['fetched by npx', resolve('/home/a/.npm/_npx/0123/node_modules', built), 'npx git-memory-mcp-server'],
    ['installed in the folder', join(folder, 'node_modules', built), 'npx git-memory-mcp'],
    ['installed for all', resolve('/usr/local/lib/node_modules', built), 'git-memory-mcp'],
    ['in a checkout', join(folder, 'src', 'cli', 'main.ts'), 'npm run cli --'],
  ])('%s', (_, script, command) => {
    expect(ownCommand(folder, script)).toBe(command);
  });

  it('names the program in full when a checkout is elsewhere', () => {
    const script = join(dirname(folder), 'checkout', 'src', 'cli', 'main.ts');
    expect(ownCommand(folder, script)).toBe(`"${process.execPath}" "${script}"`);
  });
});
