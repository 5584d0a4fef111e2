import { describe, expect, it } from 'vitest';
import { maskEntry } from './mask-secrets.ts';

describe('maskEntry', () => {
  it('shows references and hides literals', () => {
    const entry = {
      command: 'x',
      args: [
        '--api-key',
        'hunter2',
        '--token=hunter2',
        'TOKEN=hunter2',
        'https://u:hunter2@h.example/',
        '--port',
        '80',
      ],
      env: { A: { env: 'NAME' }, B: 'hunter2', C: { file: 'p' }, D: '${env:NAME}', E: '${NAME:-hunter2}' },
      settings: {
        apiKey: 'hunter2',
        deep: { password: 'hunter2', list: ['http://x/?token=hunter2'] },
        port: 3,
      },
    };
    const masked = maskEntry(entry);
    expect(JSON.stringify(masked)).not.toContain('hunter2');
    expect(masked).toMatchObject({
      env: { A: '(from env NAME)', B: '(hidden)', C: '(from file p)', D: '${env:NAME}', E: '(hidden)' },
      settings: { port: 3 },
    });
    expect((masked as typeof entry).args.slice(-2)).toEqual(['--port', '80']);
  });

  it('hides headers and secrets in URLs', () => {
    const masked = maskEntry({
      url: 'https://u:hunter2@h.example/mcp?key=hunter2&a=1',
      headers: { A: 'Bearer hunter2' },
    });
    expect(JSON.stringify(masked)).not.toContain('hunter2');
    expect(masked).toMatchObject({ headers: { A: '(hidden)' } });
  });
});
