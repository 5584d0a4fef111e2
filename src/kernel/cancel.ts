/** The part of AbortSignal that requests need, without what makes one cost microseconds to build and to listen to. */

/** A function, or an object that is its own listener and so needs no closure. */
export type CancelListener = (() => void) | { handleEvent(): void };

/** An AbortSignal is one too. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: CancelListener, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: CancelListener): void;
}

/** A signal together with the way to fire it. */
export class Cancel implements CancelSignal {
  aborted = false;
  private listeners: CancelListener[] | undefined;

  /** Tells every listener once; of no effect after the first time. */
  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    const { listeners } = this;
    this.listeners = undefined;
    for (const listener of listeners ?? []) {
      if (typeof listener === 'function') listener();
      else listener.handleEvent();
    }
  }

  addEventListener(_type: 'abort', listener: CancelListener): void {
    if (this.aborted) return;
    if (this.listeners) this.listeners.push(listener);
    else this.listeners = [listener];
  }

  removeEventListener(_type: 'abort', listener: CancelListener): void {
    const at = this.listeners?.indexOf(listener) ?? -1;
    if (at >= 0) this.listeners?.splice(at, 1);
  }
}
