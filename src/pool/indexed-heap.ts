/** A binary heap that knows where each item is, so that one whose rank has changed can be put right. */

export interface IndexedHeap<T extends object> {
  /** Forgets what it holds and takes these. O(n). */
  replace(items: readonly T[]): void;
  /** The item before all others, or the next one when that is `except` and there is another. O(1). */
  first(except?: T): T | undefined;
  /** Puts an item in its place after its rank has changed; of no effect for one it does not hold. O(log n). */
  moved(item: T): void;
}

/** `isBefore` must be a strict order. */
export function createIndexedHeap<T extends object>(isBefore: (a: T, b: T) => boolean): IndexedHeap<T> {
  let items: T[] = [];
  const places = new Map<T, number>();

  function put(item: T, place: number): void {
    items[place] = item;
    places.set(item, place);
  }

  function rise(place: number): number {
    const item = items[place]!;
    let at = place;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, items[parent]!)) break;
      put(items[parent]!, at);
      at = parent;
    }
    put(item, at);
    return at;
  }

  function sink(place: number): void {
    const item = items[place]!;
    let at = place;
    for (;;) {
      const child = smallerChild(at);
      if (child === undefined || !isBefore(items[child]!, item)) break;
      put(items[child]!, at);
      at = child;
    }
    put(item, at);
  }

  function smallerChild(place: number): number | undefined {
    const left = 2 * place + 1;
    if (left >= items.length) return undefined;
    const right = left + 1;
    return right < items.length && isBefore(items[right]!, items[left]!) ? right : left;
  }

  return {
    replace(fresh) {
      items = [...fresh];
      places.clear();
      for (const [place, item] of items.entries()) places.set(item, place);
      for (let place = (items.length >> 1) - 1; place >= 0; place -= 1) sink(place);
    },
    first(except) {
      if (items[0] !== except || items.length < 2) return items[0];
      // What comes second is below the first.
      return items[smallerChild(0)!];
    },
    moved(item) {
      const place = places.get(item);
      if (place !== undefined) sink(rise(place));
    },
  };
}
