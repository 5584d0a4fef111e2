/** What a pinned server changed, for people: a line a tool, and under it a line for each field. */

import type { PinItem } from '../../contract/rest/pin-routes.ts';
import type { CliContext } from '../context.ts';
import { note, plainText, printLines } from '../output.ts';

const signs = { added: '+', removed: '-', renamed: '>', changed: '~' } as const;

/** Prints the changes, and the state on standard error. */
export function printPin(context: CliContext, pin: PinItem): void {
  const { server, state, held, changes, instructions, suspicions = [] } = pin;
  const lines = changes.flatMap(({ kind, tool, from, fields }) => [
    `${signs[kind]} ${from === undefined ? tool : `${from} > ${tool}`}  ${kind}`,
    ...fields.flatMap(({ what, name, before, after }) => sides(`${what} ${name}`.trim(), before, after)),
  ]);
  if (instructions) lines.push('~ instructions', ...sides('text', instructions.before, instructions.after));
  for (const { tool = 'instructions', guardrail, rule, field } of suspicions) {
    lines.push(`! ${tool}  ${guardrail}/${rule}${field === '' ? '' : ` in ${field}`}`);
  }
  printLines(context, lines.map(plainText));
  note(context, `${server}: ${state}${held.length === 0 ? '' : `, held back: ${held.join(', ')}`}`);
}

function sides(label: string, before: unknown, after: unknown): string[] {
  return [
    `    ${label}`,
    ...(before === undefined ? [] : [`      - ${textOf(before)}`]),
    ...(after === undefined ? [] : [`      + ${textOf(after)}`]),
  ];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/\s+/g, ' ') : JSON.stringify(value);
}
