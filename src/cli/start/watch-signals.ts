/** Ctrl-C and its relatives: the first asks for a clean stop, the second ends the process at once. */

/** A watch over the signals of a process. */
export interface SignalWatch extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Resolves at the first signal. */
  readonly asked: Promise<void>;
}

/** SIGBREAK is Ctrl-Break on Windows, SIGHUP a closed terminal. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const;

/** Exit code of a process that was interrupted (128 + SIGINT). */
const interrupted = 130;

/** Watches a process until disposed; `onFirst` runs once. */
export function watchSignals(host: NodeJS.Process, onFirst: () => void): SignalWatch {
  const controller = new AbortController();
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const listener = (): void => {
    if (controller.signal.aborted) host.exit(interrupted);
    onFirst();
    controller.abort();
    resolve();
  };
  for (const name of stopSignals) host.on(name, listener);
  return {
    signal: controller.signal,
    asked,
    [Symbol.dispose]() {
      for (const name of stopSignals) host.off(name, listener);
    },
  };
}
