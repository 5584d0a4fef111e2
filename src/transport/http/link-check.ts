/** After a broken exchange: is the server still there? Only when it is not, the connection is over. */

import { isAppError } from '../../kernel/errors.ts';
import { problemOf } from '../protocol/problem-of.ts';

export interface LinkCheck {
  /** Asks the server unless it is being asked already; tells `onGone` once when it cannot be reached. */
  run(): void;
  stop(): void;
}

export function createLinkCheck(ask: () => Promise<unknown>, onGone: (problem: string) => void): LinkCheck {
  let isAsking = false;
  let isOver = false;

  async function check(): Promise<void> {
    isAsking = true;
    try {
      await ask();
    } catch (error) {
      // A refusal or a slow answer is an answer: something listens there.
      if (isOver || !isAppError(error, 'UPSTREAM_UNAVAILABLE', 'UPSTREAM_FAILED')) return;
      isOver = true;
      onGone(problemOf(error));
    } finally {
      isAsking = false;
    }
  }

  return {
    run() {
      if (!isAsking && !isOver) void check();
    },
    stop() {
      isOver = true;
    },
  };
}
