/** Work on a stream of items, several at a time. */

/** Runs the task on up to `size` items at once and yields the results in the order of the items. */
export async function* mapInOrder<Item, Result>(
  items: AsyncIterable<Item>,
  size: number,
  task: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const result = task(item);
      // It is awaited in its turn; until then a failure must not count as unhandled.
      result.catch(() => {});
      running.push(result);
      if (running.length >= size) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    await Promise.allSettled(running);
  }
}
