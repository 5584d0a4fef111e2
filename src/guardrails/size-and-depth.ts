/** Guardrail `sizeAndDepth`: arguments and results that are too large for what comes behind. */

import type { SizeBounds } from '../kernel/guardrail-options.ts';
import type { Guardrail } from './guardrail.ts';

/** Whoever walks the value counts; here is only what the bounds are. */
export function createSizeAndDepth({ maxBytes, maxDepth, maxMembers }: SizeBounds): Guardrail {
  return {
    name: 'sizeAndDepth',
    directions: ['arguments', 'results'],
    bounds: { maxBytes, maxDepth, maxMembers },
  };
}
