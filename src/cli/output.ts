/** What verbs print: a table on a terminal, tab-separated lines in a pipe, JSON with --json. */

import { stripVTControlCharacters, styleText } from 'node:util';
import type { CliContext } from './context.ts';

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | undefined;
  /** Numbers read best against the right edge. */
  readonly alignRight?: boolean;
  /** Parts of the value that stand out on a terminal, as `[start, end)` in UTF-16 units; for the last column. */
  readonly marks?: (row: Row) => readonly (readonly [number, number])[];
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** True when the stream may carry colour: a terminal, and no NO_COLOR (https://no-color.org). */
function hasColour({ env }: CliContext, stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** Text in a style, where standard output may carry it. */
export function styled(context: CliContext, style: Style, text: string): string {
  return hasColour(context, context.stdout) ? styleText(style, text, { validateStream: false }) : text;
}

/**
 * Text of others made safe for a terminal: escape sequences and control characters would move the cursor
 * or retitle the window. Line ends and tabs stay.
 */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/(?![\t\n])\p{Cc}|[\u202A-\u202E\u2066-\u2069]/gu, '');
}

/** One cell on one line. */
function cellText(value: string | number | undefined): string {
  return value === undefined ? '' : plainText(String(value)).replaceAll(/[\t\n]+/g, ' ');
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** East Asian wide and emoji presentation take two columns. */
const widePattern =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}])/u;

/** Columns that a text takes on a terminal; combining marks (Thai vowels, accents) take none. */
export function displayWidth(text: string): number {
  if (/^[\u0020-\u007E]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += widePattern.test(segment) ? 2 : 1;
  return width;
}

function pad(text: string, width: number, alignRight = false): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return alignRight ? space + text : text + space;
}

/** A cell with parts of it in bold. */
function markedText(
  context: CliContext,
  text: string,
  marks: readonly (readonly [number, number])[],
): string {
  let done = 0;
  const parts = marks.flatMap(([start, end]) => {
    const plain = cellText(text.slice(done, start));
    done = Math.max(done, end);
    return [plain, styled(context, 'bold', cellText(text.slice(start, end)))];
  });
  return [...parts, cellText(text.slice(done))].join('');
}

/** Rows as aligned columns under a header; `ends` are shown in place of the last cells. */
function alignedLines(
  context: CliContext,
  header: string[],
  rows: string[][],
  right: boolean[],
  ends: readonly (string | undefined)[],
): string[] {
  const widths = header.map((title, column) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[column] ?? ''))),
  );
  const line = (cells: string[], end?: string) =>
    cells
      .map((cell, column) =>
        end !== undefined && column === cells.length - 1 ? end : pad(cell, widths[column]!, right[column]),
      )
      .join('  ')
      .trimEnd();
  return [styled(context, 'bold', line(header)), ...rows.map((row, at) => line(row, ends[at]))];
}

/** Prints rows: aligned with a header on a terminal, tab-separated without one in a pipe. */
export function printTable<Row>(
  context: CliContext,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): void {
  const cells = rows.map((row) => columns.map((column) => cellText(column.value(row))));
  if (!context.stdout.isTTY) {
    printLines(
      context,
      cells.map((row) => row.join('\t')),
    );
    return;
  }
  if (rows.length === 0) {
    printLines(context, [styled(context, 'dim', 'nothing to show')]);
    return;
  }
  const titles = columns.map(({ title }) => title);
  const last = columns.at(-1);
  const ends = rows.map((row) =>
    last?.marks ? markedText(context, String(last.value(row) ?? ''), last.marks(row)) : undefined,
  );
  printLines(
    context,
    alignedLines(
      context,
      titles,
      cells,
      columns.map(({ alignRight }) => alignRight === true),
      ends,
    ),
  );
}

/** Prints names with their values, one a line; undefined values are left out. */
export function printFacts(
  context: CliContext,
  facts: Readonly<Record<string, string | number | boolean | undefined>>,
): void {
  const given = Object.entries(facts).filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...given.map(([name]) => name.length));
  printLines(
    context,
    given.map(([name, value]) => {
      const text = plainText(String(value));
      return context.stdout.isTTY
        ? `${styled(context, 'bold', name.padEnd(width))}  ${text}`
        : `${name}\t${text.replaceAll(/[\t\n]+/g, ' ')}`;
    }),
  );
}

/** Prints lines to standard output. */
export function printLines(context: CliContext, lines: readonly string[]): void {
  if (lines.length > 0) context.stdout.write(`${lines.join('\n')}\n`);
}

/** Prints a value as JSON: indented on a terminal, one line in a pipe. */
export function printJson(context: CliContext, value: unknown): void {
  context.stdout.write(`${JSON.stringify(value, null, context.stdout.isTTY ? 2 : undefined)}\n`);
}

/** Says something beside the result, on standard error, so that a pipe stays clean. */
export function note(context: CliContext, text: string): void {
  context.stderr.write(`${text}\n`);
}

/** 1536 → `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
