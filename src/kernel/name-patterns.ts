/** Names of tools, or with `*` at the end their beginnings, as people write them in the config. */

/** True for a name that is the pattern, or begins with what stands before its `*`. */
export function fitsPattern(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** A check for names that fit one of the patterns. */
export function matchesAny(patterns: readonly string[]): (name: string) => boolean {
  return (name) => patterns.some((pattern) => fitsPattern(pattern, name));
}
