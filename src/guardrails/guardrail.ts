/** The one contract of all guardrails: what one of them looks at, and how it tells what it found. */

import type { GuardrailDirection, SizeBounds } from '../kernel/guardrail-options.ts';

/** Where a text stands. */
export interface Field {
  readonly direction: GuardrailDirection;
  /** Name of the nearest member, such as `password`; empty at the top and in lists without one. */
  readonly name: string;
}

/** Tells of one finding: which rule, and the part of the text from `start` up to `end`. */
export type Report = (rule: string, start: number, end: number) => void;

export interface Guardrail {
  /** As in the config. */
  readonly name: string;
  readonly directions: readonly GuardrailDirection[];
  /** Looks through one text, in time that grows with its length only. */
  inspect?(text: string, field: Field, report: Report): void;
  /** Bounds that whoever walks the value keeps. */
  readonly bounds?: SizeBounds;
}
