/** A typed set of listeners; a listener that throws is reported and never stops the others. */

export interface Emitter<T> {
  emit(event: T): void;
  /** Adds a listener; the returned function removes it. */
  on(listener: (event: T) => void): () => void;
  readonly size: number;
}

export function createEmitter<T>(onError: (error: unknown) => void = () => {}): Emitter<T> {
  const listeners = new Set<(event: T) => void>();
  return {
    emit(event) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          onError(error);
        }
      }
    },
    on(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    get size() {
      return listeners.size;
    },
  };
}
