/** Guardrail `injection`: what tries to steer a model, in results and in what servers say about their tools. */

import type { Guardrail, Report } from './guardrail.ts';
import { findHiddenText } from './hidden-text.ts';
import { endOfPhrase, hintFor, type InjectionRule, injectionRules } from './injection-rules.ts';

/** Nobody says it in fewer characters. */
const shortest = 12;

function findPhrases(rule: InjectionRule, text: string, report: Report): void {
  const { start } = rule;
  start.lastIndex = 0;
  for (let match = start.exec(text); match; match = start.exec(text)) {
    const end = endOfPhrase(rule, text, match.index + match[0].length);
    if (end === undefined) continue;
    report(rule.rule, match.index, end);
    start.lastIndex = end;
  }
}

const hints = { results: hintFor('results'), definitions: hintFor('definitions') };

export function createInjection(): Guardrail {
  return {
    name: 'injection',
    directions: ['results', 'definitions'],
    inspect(text, { direction }, report) {
      findHiddenText(text, direction === 'definitions', report);
      if (direction === 'arguments' || text.length < shortest || !hints[direction].test(text)) return;
      for (const rule of injectionRules) {
        if (rule.directions.includes(direction)) findPhrases(rule, text, report);
      }
    },
  };
}
