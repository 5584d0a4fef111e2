/** Guardrail `secretLeak`: keys, tokens and passwords in arguments and results. */

import { findAssignedSecrets } from './assigned-secret.ts';
import type { Guardrail, Report } from './guardrail.ts';
import { type SecretFormat, secretFormats } from './secret-formats.ts';

const byAnchor = new Map<string, SecretFormat[]>();
for (const format of secretFormats) {
  for (const anchor of format.anchors) byAnchor.set(anchor, [...(byAnchor.get(anchor) ?? []), format]);
}
const quoted = [...byAnchor.keys()].map((anchor) => anchor.replaceAll(/[.-]/g, '\\$&'));
/** A token does not begin in the middle of a word. */
const anchors = new RegExp(`(?<![A-Za-z0-9])(?:${quoted.join('|')})`, 'g');
/** Telegram's have no beginning of their own. */
const telegram = /(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])/g;

/** Nothing shorter is a token or a password with its name. */
const shortest = 8;

function findTokens(text: string, report: Report): void {
  anchors.lastIndex = 0;
  for (let hit = anchors.exec(text); hit; hit = anchors.exec(text)) {
    for (const { rule, pattern, check } of byAnchor.get(hit[0])!) {
      pattern.lastIndex = hit.index;
      const token = pattern.exec(text)?.[0];
      if (token === undefined || check?.(token) === false) continue;
      const end = hit.index + token.length;
      report(rule, hit.index, end);
      anchors.lastIndex = end;
      break;
    }
  }
  if (!text.includes(':AA')) return;
  for (const match of text.matchAll(telegram)) {
    report('telegram-token', match.index, match.index + match[0].length);
  }
}

export function createSecretLeak(): Guardrail {
  return {
    name: 'secretLeak',
    directions: ['arguments', 'results'],
    inspect(text, { name }, report) {
      if (text.length < shortest) return;
      findTokens(text, report);
      findAssignedSecrets(text, name, report);
    },
  };
}
