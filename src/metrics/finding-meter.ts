/** What guardrails found, by guardrail, rule, direction and outcome: as many numbers as there are rules, whatever comes. */

import type { Reading } from '../kernel/exporter.ts';
import type { GuardrailFinding } from '../kernel/observations.ts';

export interface FindingMeter {
  count(finding: GuardrailFinding): void;
  read(): Reading[];
}

export function createFindingMeter(): FindingMeter {
  const readings = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  return {
    count({ guardrail, rule, direction, outcome, count }) {
      const key = `${guardrail} ${rule} ${direction} ${outcome}`;
      const known = readings.get(key);
      if (known) known.value += count;
      else readings.set(key, { labels: { guardrail, rule, direction, outcome }, value: count });
    },
    read: () => [...readings.values()].map(({ labels, value }) => ({ labels, value })),
  };
}
