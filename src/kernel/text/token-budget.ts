/** Answers that fit a model's budget. */

/**
 * Tokens that a model may count for a text, rather too many than too few: one for three ASCII characters, and
 * one for each other UTF-16 unit.
 */
export function estimateTokens(text: string): number {
  let other = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) other += 1;
  return Math.ceil((text.length - other) / 3) + other;
}

/** The first of the items whose JSON together with what else is said stays within the budget, and its estimate. */
export function fitTokens<Item>(
  items: readonly Item[],
  maxTokens: number,
  said: object,
): { readonly items: Item[]; readonly tokens: number } {
  const kept: Item[] = [];
  // The names around the items, and the counts.
  let tokens = 20 + estimateTokens(JSON.stringify(said));
  for (const item of items) {
    const more = estimateTokens(JSON.stringify(item)) + 1;
    if (tokens + more > maxTokens) break;
    tokens += more;
    kept.push(item);
  }
  return { items: kept, tokens };
}
