/** Settings of scopes by pattern: a scope, or the beginning of scopes with a `*` at its end. */

/** The settings of the longest pattern that fits the scope; undefined when none does. */
export function settingsOf<Settings>(
  patterns: Readonly<Record<string, Settings>>,
  scope: string,
): Settings | undefined {
  let best: string | undefined;
  for (const pattern of Object.keys(patterns)) {
    const fits = pattern.endsWith('*') ? scope.startsWith(pattern.slice(0, -1)) : scope === pattern;
    if (fits && (best === undefined || isCloser(pattern, best))) best = pattern;
  }
  return best === undefined ? undefined : patterns[best];
}

/** A whole name is closer than any beginning, a long beginning closer than a short one. */
function isCloser(pattern: string, other: string): boolean {
  const isOpen = Number(pattern.endsWith('*')) - Number(other.endsWith('*'));
  return isOpen === 0 ? pattern.length > other.length : isOpen < 0;
}
