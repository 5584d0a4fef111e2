/** Credentials of a link to a server that change while it is open. */

export interface LinkCredentials {
  /** Undefined when `headers` may be sent now, else resolves when they may. Rejects with what is missing. */
  prepare(): Promise<void> | undefined;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The server answered 401 with this WWW-Authenticate: resolves true when it is worth another try. */
  refused(challenge: string | undefined): Promise<boolean>;
}
