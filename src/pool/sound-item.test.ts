import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { soundItem } from './sound-item.ts';

describe('soundItem', () => {
  it('leaves a sound item as it is, fields nobody knows included', () => {
    const tool = { name: 'ค้นหา', inputSchema: { type: 'object' }, annotations: {}, vendor: 7 };
    expect(soundItem('tools', tool)).toBe(tool);
    const link = { uri: 'demo://one', name: 'one', size: 3 };
    expect(soundItem('resources', link)).toBe(link);
  });

  it('takes out fields of a wrong type and adds what a strict client insists on', () => {
    const tool = { name: 't', description: 7, annotations: [], icons: [{}], inputSchema: 'none' };
    expect(soundItem('tools', tool)).toEqual({ name: 't', inputSchema: { type: 'object' } });
    expect(soundItem('tools', { name: 't', inputSchema: { properties: {} } })).toEqual({
      name: 't',
      inputSchema: { type: 'object', properties: {} },
    });
    expect(soundItem('prompts', { name: 'p', arguments: [{ description: 'no name' }] })).toEqual({
      name: 'p',
    });
    expect(soundItem('resources', { uri: 'demo://one' })).toEqual({ uri: 'demo://one', name: 'demo://one' });
  });

  it('drops what nothing identifies, and never throws', () => {
    for (const item of [null, [], 'text', {}, { name: 7 }, { name: '' }])
      expect(soundItem('tools', item)).toBeUndefined();
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom('tools', 'prompts', 'resources' as const), (item, kind) => {
        const sound = soundItem(kind, item);
        if (sound) expect(soundItem(kind, sound)).toBe(sound);
      }),
    );
  });
});
