/** Secrets that are neither in the environment nor in a file of their own, as those who need one see them. */

/** A field of a secret in Vault or OpenBao (KV version 2). */
export interface VaultPlace {
  readonly path: string;
  readonly field: string;
  /** Path that the engine is mounted at; as configured when absent. */
  readonly mount?: string | undefined;
}

/** What a reference to one says. */
export type KeptReference = { readonly secret: string } | { readonly vault: VaultPlace };

export interface SecretAccess {
  /** The text. Throws NOT_FOUND, or CONFIG_INVALID where the store or the vault is not set up. */
  read(reference: KeptReference): Promise<string>;
  /** Hears of each text that a reference stood for, so that it is kept out of logs. */
  noted?(text: string): void;
}
