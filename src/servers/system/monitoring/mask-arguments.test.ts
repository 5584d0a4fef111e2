import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskArguments, toCommandLine } from './mask-arguments.ts';

const secret = 'S3cr3tV4lue';

describe('maskArguments', () => {
  it.each([
    ['server', `--password=${secret}`],
    ['server', '--password', secret],
    ['server', '-token', secret],
    ['server', `--db-password:${secret}`],
    ['server', `--apiKey=${secret}`],
    ['env', `AWS_SECRET_ACCESS_KEY=${secret}`, 'server'],
    ['env', `PGPASSWORD=${secret}`, 'psql'],
    ['env', `OPENAI_API_KEY="${secret} x"`],
    ['sh', '-c', `GITHUB_TOKEN=${secret} npm test`],
    ['sh', '-c', `deploy --access-key ${secret} --region x`],
    ['curl', '-H', `Authorization: Bearer ${secret}`, 'https://x.test'],
    ['curl', '-H', `X-Api-Key: ${secret}`],
    ['curl', `-HCookie: a=${secret}; b=c`],
    ['/usr/bin/curl', '-u', `anna:${secret}`],
    ['curl', `-uanna:${secret}`],
    ['git', 'clone', `https://anna:${secret}@x.test/y`],
    ['git', 'clone', `https://${secret}@x.test/y`],
    ['wget', `https://x.test/?token=${secret}&a=b`],
    ['mysql', `-p${secret}`, 'db'],
    ['sshpass', '-p', secret, 'ssh', 'x'],
    ['redis-cli', '-a', secret],
    ['app', `{"password": "${secret}"}`],
    ['app', `postgres://u:${secret}@h/db`],
    ['app', `ghp_${secret}aaaaaaaaaaaaaaaaaaaaaa`],
    ['app', `sk-ant-${secret}-aaaaaaaaaaaa`],
    ['app', `eyJhbGciOiJIUzI1NiJ9.eyJ${secret}.abc`],
    ['app.exe', '/password', secret],
  ])('hides the secret of %s %s %s', (...args) => {
    expect(maskArguments(args).join(' ')).not.toContain(secret);
  });

  it.each([
    [['node', 'server.js', '--port', '3000', '--verbose']],
    [['git', 'log', '-p', '--oneline']],
    [['tar', '-xf', 'a.tar', '-C', '/tmp']],
    [['python3', '-m', 'http.server', '8080']],
  ])('leaves %j as it is', (args) => {
    expect(maskArguments(args)).toEqual(args);
  });

  it('keeps the next option when a secret one has no value', () => {
    expect(maskArguments(['x', '--token', '--verbose'])).toEqual(['x', '--token', '--verbose']);
  });

  it('hides any value after any secret option', () => {
    const name = fc.constantFrom('--password', '--token', '--client-secret', '--api-key', '--auth');
    const value = fc.stringMatching(/^[A-Za-z0-9]{12,30}$/);
    fc.assert(
      fc.property(name, value, (name, value) => {
        expect(maskArguments(['x', name, value]).join(' ')).not.toContain(value);
        expect(maskArguments(['x', `${name}=${value}`]).join(' ')).not.toContain(value);
      }),
    );
  });
});

describe('toCommandLine', () => {
  it('is one line of at most 500 characters, also for huge arguments', () => {
    const line = toCommandLine([
      'x\ny',
      'a'.repeat(1_000_000),
      ...Array.from({ length: 5000 }, () => 'pass'.repeat(500)),
    ]);
    expect(line.startsWith('x y aaa')).toBe(true);
    expect(line.length).toBe(501);
    expect(toCommandLine([])).toBe('');
  });
});
