/** Listeners are foreign code: one that throws must not break the link whose message it got. */

import type { Logger } from '../../kernel/log.ts';
import type { ConnectionEvents } from '../connection.ts';

/** The same events, with what a listener throws in the log; `onClose` is passed on once at most. */
export function guardEvents(server: string, events: ConnectionEvents, logger: Logger): ConnectionEvents {
  let isClosed = false;

  function guard<T>(listener: ((value: T) => void) | undefined, value: T): void {
    try {
      listener?.(value);
    } catch (error) {
      logger.error({ server, err: error }, 'a listener failed');
    }
  }

  return {
    onNotification: (notification) => guard((value) => events.onNotification?.(value), notification),
    onClose(reason) {
      if (isClosed) return;
      isClosed = true;
      guard((value) => events.onClose?.(value), reason);
    },
  };
}
