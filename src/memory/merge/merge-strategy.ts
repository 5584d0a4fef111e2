/** How the memories of a scope are merged, by setting. */

/**
 * `auto` merges by field and line; `latest` keeps the newer side whole; `manual` too, and records every such
 * key as a conflict; `ours` keeps what this coordinator has and `theirs` what the other side has.
 */
export const mergeStrategies = ['auto', 'latest', 'manual', 'ours', 'theirs'] as const;
export type MergeStrategy = (typeof mergeStrategies)[number];

/** The strategy of a scope. */
export type StrategyOf = (scope: string) => MergeStrategy;

/** Settings of scopes by pattern, as far as merging goes. */
export type MergeSettings = Readonly<Record<string, { readonly merge?: MergeStrategy | undefined }>>;
