/** How far a transfer has come, on standard error: one line that changes on a terminal, a line now and then in a pipe. */

import type { CliContext } from '../../context.ts';
import { styled } from '../../output.ts';

/** A display of a transfer; disposing removes it. */
export interface TransferProgress extends Disposable {
  /** One more is done. */
  step(): void;
}

const itemsPerLine = 10_000;
const itemsPerUpdate = 50;
const barWidth = 30;

/** `total` where it is known; nothing is shown with --json. */
export function createTransferProgress(
  context: CliContext,
  word: string,
  isJson: boolean,
  total?: number,
): TransferProgress {
  const { stderr } = context;
  const of = total === undefined ? '' : `/${total}`;
  let done = 0;
  let isShown = false;

  function bar(): string {
    if (total === undefined || total === 0) return '';
    const filled = Math.min(barWidth, Math.round((done / total) * barWidth));
    return `${styled(context, 'cyan', '█'.repeat(filled))}${styled(context, 'dim', '░'.repeat(barWidth - filled))}  `;
  }

  return {
    step() {
      done++;
      if (isJson) return;
      if (!stderr.isTTY) {
        if (done % itemsPerLine === 0) stderr.write(`${word} ${done}${of}\n`);
      } else if (done % itemsPerUpdate === 0) {
        stderr.write(`\r\u001B[2K${word}  ${bar()}${done}${of}`);
        isShown = true;
      }
    },
    [Symbol.dispose]() {
      if (isShown) stderr.write('\r\u001B[2K');
      isShown = false;
    },
  };
}
