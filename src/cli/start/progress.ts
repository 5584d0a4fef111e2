/** How far a start has come: a bar on a terminal, a line now and then in a pipe, nothing with --json. */

import type { CliContext } from '../context.ts';
import { styled } from '../output.ts';

interface StartProgress {
  readonly ready: number;
  readonly failed: number;
  readonly total: number;
}

/** A display of the start. */
export interface Progress extends Disposable {
  update(progress: StartProgress): void;
}

const barWidth = 30;
/** A pipe gets a line for each tenth. */
const linesInPipe = 10;

function barText(context: CliContext, { ready, failed, total }: StartProgress): string {
  const done = total === 0 ? barWidth : Math.round(((ready + failed) / total) * barWidth);
  const bar = styled(context, 'cyan', '█'.repeat(done)) + styled(context, 'dim', '░'.repeat(barWidth - done));
  const failures = failed > 0 ? `  ${styled(context, 'red', `${failed} failed`)}` : '';
  return `starting  ${bar}  ${ready}/${total}${failures}`;
}

/** Writes to standard output; disposing removes the bar. */
export function createProgress(context: CliContext, isJson: boolean): Progress {
  const { stdout } = context;
  const isTerminal = stdout.isTTY;
  let lastTenth = 0;
  let isShown = false;
  return {
    update(progress) {
      if (isJson) return;
      if (isTerminal) {
        stdout.write(`\r\u001B[2K${barText(context, progress)}`);
        isShown = true;
        return;
      }
      const { ready, failed, total } = progress;
      const tenth = Math.floor(((ready + failed) / Math.max(1, total)) * linesInPipe);
      if (tenth === lastTenth) return;
      lastTenth = tenth;
      stdout.write(`starting ${ready}/${total}${failed > 0 ? `, ${failed} failed` : ''}\n`);
    },
    [Symbol.dispose]() {
      if (isShown) stdout.write('\r\u001B[2K');
      isShown = false;
    },
  };
}
