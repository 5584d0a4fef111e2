/** Guardrails of an operator's own: one pattern each, which no text can make slow. */

import type { CustomSettings } from '../kernel/guardrail-options.ts';
import { AppError } from '../kernel/errors.ts';
import { problemOf } from './bounded-pattern.ts';
import type { Guardrail } from './guardrail.ts';

/** Throws CONFIG_INVALID for a pattern that could take long. */
export function createCustomRule(name: string, { pattern, ignoreCase }: CustomSettings): Guardrail {
  const problem = problemOf(pattern);
  if (problem !== undefined) {
    throw new AppError('CONFIG_INVALID', {
      file: 'config',
      problem: `guardrails.custom.${name}.pattern ${problem}`,
    });
  }
  const compiled = new RegExp(pattern, ignoreCase ? 'giu' : 'gu');
  return {
    name: 'custom',
    directions: ['arguments', 'results'],
    inspect(text, _, report) {
      for (const match of text.matchAll(compiled)) {
        if (match[0] !== '') report(name, match.index, match.index + match[0].length);
      }
    },
  };
}
