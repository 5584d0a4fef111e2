/** Memories as the index has them. */

/** The current value of one memory. */
export interface Entry {
  readonly scope: string;
  readonly key: string;
  readonly path: string;
  readonly etag: string;
  readonly tags: readonly string[];
  readonly expiresMs: number | null;
  readonly atMs: number;
  readonly actor: string;
  /** Journal position; 0 for what someone pushed. */
  readonly seq: number;
  readonly content: Uint8Array;
}

/** A change of an entry that is or was sealed. */
export interface SealedChange {
  /** Grows. */
  readonly change: number;
  readonly entryId: number;
  /** Undefined when it is gone, or in clear now. */
  readonly entry: Entry | undefined;
}

/** What to put: tags and expiry are read from the content. */
export type EntryInput = Omit<Entry, 'tags' | 'expiresMs'>;

/** A row of a listing, without its value. */
export type EntryHead = Omit<Entry, 'content'> & {
  readonly thread?: string | undefined;
  readonly sequence?: number | undefined;
};

export interface EntryQuery {
  readonly scope?: string | undefined;
  readonly prefix?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Keys after this one. */
  readonly after?: string | undefined;
  readonly nowMs: number;
  readonly limit: number;
}
