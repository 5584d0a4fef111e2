/** What guardrails can be told, as the config says it and as they take it. */

/** `off` looks for nothing; `allow` only counts. */
export const guardrailActions = ['off', 'allow', 'redact', 'ask', 'block'] as const;
export type GuardrailAction = (typeof guardrailActions)[number];

/** For what has no part that could be taken out. */
export const wholeActions = ['off', 'allow', 'ask', 'block'] as const;

/** What is looked at: what goes to a server, what comes back, and what a server says about its tools. */
export type GuardrailDirection = 'arguments' | 'results' | 'definitions';

/** What every guardrail can be told. */
export interface GuardrailSettings {
  readonly action: GuardrailAction;
  /** What is done on the way in instead. */
  readonly arguments?: GuardrailAction | undefined;
  /** What is done on the way out instead. */
  readonly results?: GuardrailAction | undefined;
  /** Ids of servers, and the server's own names of tools; with `*` at the end their beginnings. All when empty. */
  readonly servers: readonly string[];
  readonly tools: readonly string[];
  readonly exceptServers: readonly string[];
  readonly exceptTools: readonly string[];
  /** Rules that are left out. */
  readonly ignore: readonly string[];
}

export interface SizeBounds {
  /** UTF-8 bytes of all texts and member names together. */
  readonly maxBytes: number;
  /** Lists and objects inside each other. */
  readonly maxDepth: number;
  /** Values in lists and objects, altogether. */
  readonly maxMembers: number;
}

export interface PathSettings {
  /** Folders that absolute paths must lie in; any place when empty. */
  readonly roots: readonly string[];
  readonly schemes: readonly string[];
  /** Hosts that may be private, in the forms of `SsrfPolicy`. */
  readonly allowHosts: readonly string[];
  readonly allowPrivate: boolean;
}

export interface CustomSettings extends GuardrailSettings {
  readonly pattern: string;
  readonly ignoreCase: boolean;
}

export interface GuardrailsSettings {
  readonly secretLeak: GuardrailSettings;
  readonly personalData: GuardrailSettings;
  readonly injection: GuardrailSettings & { readonly definitions?: 'off' | 'allow' | 'block' | undefined };
  readonly sizeAndDepth: GuardrailSettings & SizeBounds;
  readonly pathsAndUrls: GuardrailSettings & PathSettings;
  /** By name. */
  readonly custom: Readonly<Record<string, CustomSettings>>;
}
