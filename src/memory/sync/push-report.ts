/** The report at the end of a push (gitprotocol-pack, report-status). */

import { encodePacket, flushPacket } from './pkt-line.ts';

/**
 * What became of one ref. That main is at a merge now is said in words: a client that is told the new id
 * (report-status-v2) would point its tracking branch to a commit that it does not have.
 */
export interface RefAnswer {
  readonly ref: string;
  /** Why it was not taken. */
  readonly problem?: string;
}

/** The packets of the report; nothing when the client did not ask for one. */
export function writeReport(
  unpacked: string,
  answers: readonly RefAnswer[],
  features: ReadonlySet<string>,
): Buffer {
  if (!features.has('report-status')) return Buffer.alloc(0);
  const lines = [`unpack ${oneLine(unpacked)}`];
  for (const { ref, problem } of answers) {
    lines.push(problem === undefined ? `ok ${ref}` : `ng ${ref} ${oneLine(problem)}`);
  }
  return Buffer.concat([...lines.map((line) => encodePacket(`${line}\n`)), flushPacket]);
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 500);
}
