import { describe, expect, it } from 'vitest';
import { childEnvironment } from './child-environment.ts';

describe('childEnvironment', () => {
  it('passes on what programs need, and no secret of the coordinator', () => {
    const parent = {
      PATH: '/bin',
      HOME: '/h',
      LC_ALL: 'th_TH',
      AWS_SECRET_ACCESS_KEY: 's',
      NODE_OPTIONS: '--x',
      TMPDIR: '/t',
    };
    expect(childEnvironment({}, parent)).toEqual({ PATH: '/bin', HOME: '/h', LC_ALL: 'th_TH', TMPDIR: '/t' });
  });

  it('lets the config of the server add and win', () => {
    expect(childEnvironment({ PATH: '/own', TOKEN: 't' }, { PATH: '/bin' })).toEqual({
      PATH: '/own',
      TOKEN: 't',
    });
  });

  it('passes no functions that bash has exported', () => {
    expect(childEnvironment({}, { PATH: '() { :; }; echo' })).toEqual({});
  });
});
