/**
 * Requests in flight by id, in a ring of slots. A Map would do, but entries that come and go by the thousand
 * make it leave dead tables behind that keep them alive until a full collection: twice the time for a call.
 */

export interface CallTable<T extends { readonly id: number }> {
  /** A fresh id, greater than all before, whose slot is free. */
  nextId(): number;
  add(item: T): void;
  get(id: unknown): T | undefined;
  /** False when it was not there. */
  delete(id: number): boolean;
  /** Oldest first. */
  values(): T[];
}

const firstSize = 64;

export function createCallTable<T extends { readonly id: number }>(): CallTable<T> {
  let slots: (T | undefined)[] = Array.from({ length: firstSize });
  let count = 0;
  let lastId = 0;

  const slotOf = (id: number) => id & (slots.length - 1);

  /** Ids that differ in a small ring differ in a larger one, so nothing ever collides on the way. */
  function grow(): void {
    const items = slots;
    slots = Array.from({ length: items.length * 2 });
    for (const item of items) if (item) slots[slotOf(item.id)] = item;
  }

  return {
    nextId() {
      if (count * 2 >= slots.length) grow();
      // A call that takes long keeps its slot; the ids that would meet it are skipped.
      do lastId += 1;
      while (slots[slotOf(lastId)] !== undefined);
      return lastId;
    },
    add(item) {
      slots[slotOf(item.id)] = item;
      count += 1;
    },
    get(id) {
      if (typeof id !== 'number') return undefined;
      const item = slots[slotOf(id)];
      return item?.id === id ? item : undefined;
    },
    delete(id) {
      if (slots[slotOf(id)]?.id !== id) return false;
      slots[slotOf(id)] = undefined;
      count -= 1;
      return true;
    },
    values: () => slots.filter((item) => item !== undefined).sort((a, b) => a.id - b.id),
  };
}
