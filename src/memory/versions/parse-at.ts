/** What a caller means by a version: a commit, a moment, or a snapshot. */

import { snapshotNameShape } from '../../kernel/memory/shapes.ts';

/** A commit by the beginning of its id, the end of a span of time in milliseconds since the Unix epoch, or a snapshot. */
export type AtSpec =
  | { readonly commitPrefix: string }
  | { readonly atMs: number }
  | { readonly snapshot: string };

const datePattern =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?$/i;

/**
 * Readings of `at`, the likelier first; none when it is neither. A date means the last moment that it can
 * stand for: a day its end, a second (what `git log` shows) all commits of that second. Without an offset
 * it is UTC. Four digits may be a commit as well as a year.
 */
export function parseAt(at: string): AtSpec[] {
  const text = at.trim();
  if (text.startsWith('snap:')) {
    const name = snapshotNameShape.safeParse(text.slice('snap:'.length).normalize('NFC'));
    return name.success ? [{ snapshot: name.data }] : [];
  }
  const specs: AtSpec[] = [];
  if (/^[0-9a-f]{4,40}$/i.test(text)) specs.push({ commitPrefix: text.toLowerCase() });
  const span = parseDateSpan(text);
  if (span) specs.push({ atMs: span.endMs });
  return specs;
}

/**
 * The first and the last millisecond that a date can stand for, since the Unix epoch; undefined for what is
 * no date.
 */
export function parseDateSpan(
  text: string,
): { readonly startMs: number; readonly endMs: number } | undefined {
  const match = datePattern.exec(text);
  if (!match) return undefined;
  const [, year = '', month, day, hour, minute, second, fraction, offset] = match;
  const n = (part: string | undefined, otherwise: number) => (part === undefined ? otherwise : Number(part));
  const start = [n(year, 0), n(month, 1) - 1, n(day, 1), n(hour, 0), n(minute, 0), n(second, 0)] as const;
  const [y, mo, d, h, mi, s] = start;
  if (mo < 0 || mo > 11 || d < 1 || d > daysIn(y, mo) || h > 24 || mi > 59 || s > 60) return undefined;
  const milliseconds = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000 + 1e-6);
  const startMs = Date.UTC(y, mo, d, h, mi, s, milliseconds) - offsetMs(offset);
  const endMs = startMs + spanMs({ y, mo }, { month, day, hour, second, fraction });
  return { startMs, endMs };
}

/** How long the named span lasts, less the one millisecond that belongs to the next. */
function spanMs(
  date: { y: number; mo: number },
  given: Record<'month' | 'day' | 'hour' | 'second' | 'fraction', string | undefined>,
): number {
  if (given.fraction !== undefined)
    return given.fraction.length >= 3 ? 0 : 10 ** (3 - given.fraction.length) - 1;
  if (given.second !== undefined) return 999;
  if (given.hour !== undefined) return 59_999;
  if (given.day !== undefined) return 86_400_000 - 1;
  const until = given.month === undefined ? Date.UTC(date.y + 1, 0) : Date.UTC(date.y, date.mo + 1);
  return until - Date.UTC(date.y, date.mo) - 1;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}

function offsetMs(offset: string | undefined): number {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})$/.exec(offset ?? '') ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
