/** The shared memory as tools in a worker see it: each operation is a question to the main thread. */

import { AppError } from '../../kernel/errors.ts';
import type {
  MemoryCaller,
  MemoryInput,
  MemoryOperation,
  MemoryOutput,
} from '../../kernel/memory/operations.ts';
import type { FromHost, ToHost } from './wire.ts';

export interface MemoryProxy {
  call<Op extends MemoryOperation>(
    operation: Op,
    input: MemoryInput<Op>,
    caller: MemoryCaller,
  ): Promise<MemoryOutput<Op>>;
  /** Takes the main thread's answer. */
  answer(message: Extract<ToHost, { kind: 'memory-result' | 'memory-error' }>): void;
}

export function createMemoryProxy(post: (message: FromHost) => void): MemoryProxy {
  const asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  return {
    async call<Op extends MemoryOperation>(operation: Op, input: MemoryInput<Op>, caller: MemoryCaller) {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const id = ++lastId;
      asked.set(id, { resolve, reject });
      try {
        post({ kind: 'memory', id, operation, input, caller });
        return (await promise) as MemoryOutput<Op>;
      } finally {
        asked.delete(id);
      }
    },
    answer(message) {
      const waiter = asked.get(message.id);
      if (message.kind === 'memory-result') waiter?.resolve(message.value);
      else waiter?.reject(new AppError(message.error.code, message.error.data));
    },
  };
}
