import { describe, expect, it, vi } from 'vitest';
import { Cancel, type CancelSignal } from './cancel.ts';

describe.each<[string, () => { signal: CancelSignal; abort: () => void }]>([
  [
    'Cancel',
    () => {
      const cancel = new Cancel();
      return { signal: cancel, abort: () => cancel.abort() };
    },
  ],
  [
    'AbortSignal',
    () => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: () => controller.abort() };
    },
  ],
])('%s', (_, create) => {
  it('tells functions and objects once, and not those that left', () => {
    const { signal, abort } = create();
    const listener = vi.fn<() => void>();
    const gone = vi.fn<() => void>();
    const stranger = vi.fn<() => void>();
    const object = { handleEvent: vi.fn<() => void>() };
    signal.addEventListener('abort', listener, { once: true });
    signal.addEventListener('abort', gone, { once: true });
    signal.addEventListener('abort', object, { once: true });
    signal.removeEventListener('abort', gone);
    signal.removeEventListener('abort', stranger);
    expect(signal.aborted).toBe(false);
    abort();
    abort();
    expect(signal.aborted).toBe(true);
    expect(listener).toHaveBeenCalledTimes(1);
    expect(object.handleEvent).toHaveBeenCalledTimes(1);
    expect(gone).not.toHaveBeenCalled();
  });

  it('tells nobody who came too late', () => {
    const { signal, abort } = create();
    abort();
    const late = vi.fn<() => void>();
    signal.addEventListener('abort', late);
    abort();
    expect(late).not.toHaveBeenCalled();
  });
});
