/**
 * What one choice costs: nanoseconds per pick of each policy, through the balancer, at 1, 10 and 100 instances. A pick comes
 * with its call: the load of the chosen one goes up and down again. `node bench/selection.ts [--picks 1000000]`; last
 * line: one JSON object. The baseline is an array index taken in turn.
 */

import { parseArgs } from 'node:util';
import { defaultSelection, policyNames } from '../src/kernel/pool-options.ts';
import { type Candidate, createBalancer } from '../src/pool/balancer.ts';

const { values } = parseArgs({ options: { picks: { type: 'string', default: '1000000' } } });
const picks = Number(values.picks);
const rounds = 7;
const keys = Array.from({ length: 1024 }, (_, n) => `session-${n}`);

interface Fake extends Candidate {
  inFlight: number;
}

const membersOf = (count: number): Fake[] =>
  Array.from({ length: count }, (_, n) => {
    return { id: `instance-${n}`, inFlight: 0, latencyMs: 1 + (n % 7), fitness: 'fit' as const, warmth: 1 };
  });

/** Median over the rounds, nanoseconds a pick. */
function measure(pick: (n: number) => unknown): number {
  const times = Array.from({ length: rounds }, () => {
    const before = process.hrtime.bigint();
    for (let n = 0; n < picks; n += 1) pick(n);
    return Number(process.hrtime.bigint() - before) / picks;
  });
  return Math.round(times.sort((a, b) => a - b)[rounds >> 1]!);
}

const rows: { policy: string; instances: number; nsPerPick: number }[] = [];
for (const instances of [1, 10, 100]) {
  const plain = membersOf(instances);
  rows.push({ policy: 'array', instances, nsPerPick: measure((n) => plain[n % instances]!.inFlight) });
  for (const policy of policyNames) {
    const balancer = createBalancer<Fake>({ ...defaultSelection, policy });
    balancer.setMembers(membersOf(instances));
    const nsPerPick = measure((n) => {
      const chosen = balancer.pick(keys[n & 1023])!;
      chosen.inFlight += 1;
      balancer.loadChanged(chosen);
      chosen.inFlight -= 1;
      balancer.loadChanged(chosen);
    });
    rows.push({ policy, instances, nsPerPick });
  }
}
for (const { policy, instances, nsPerPick } of rows)
  process.stdout.write(`${policy.padEnd(16)} ${String(instances).padStart(4)}  ${nsPerPick} ns\n`);
process.stdout.write(`${JSON.stringify({ bench: 'selection', rows })}\n`);
