/**
 * Is a recorded history of one key linearizable? Each successful write names the value it replaced, and all
 * values differ, so the writes order themselves, and the check takes linear time.
 */

/** One call. Times are ticks of any clock that grows with each event. */
export interface Call {
  readonly startTick: number;
  readonly endTick: number;
  /** The value before this call, as the call was told. */
  readonly saw: string;
  /** The value after it; absent for a read and for a refused write. */
  readonly wrote?: string;
}

/** What contradicts that all calls took effect one after the other, each between its start and its end. */
export function findContradiction(calls: readonly Call[], initial: string): string | undefined {
  const writes = calls.filter((call) => call.wrote !== undefined);
  const successors = new Map(writes.map((write) => [write.saw, write]));
  if (successors.size < writes.length) return 'two writes replaced the same value';
  const readsOf = Map.groupBy(
    calls.filter((call) => call.wrote === undefined),
    (read) => read.saw,
  );
  // The earliest tick at which the next call in the order can take effect.
  let earliest = -Infinity;
  let value = initial;
  let seen = 0;
  for (;;) {
    const reads = readsOf.get(value) ?? [];
    const late = reads.find((read) => read.endTick < earliest);
    if (late) return `a call that ended at ${late.endTick} saw ${value}, which came later`;
    for (const read of reads) earliest = Math.max(earliest, read.startTick);
    seen += reads.length;
    const next = successors.get(value);
    if (!next) break;
    earliest = Math.max(earliest, next.startTick);
    if (next.endTick < earliest) return `${value} was seen after it had been replaced`;
    seen += 1;
    value = next.wrote ?? '';
    if (seen > calls.length) return 'the writes go in a circle';
  }
  return seen === calls.length ? undefined : 'a call saw a value that nobody wrote';
}
