/** What a listener that speaks TLS has to have. */

export interface TlsMaterial {
  /** The certificate and those between it and its CA, PEM. */
  readonly cert: string;
  /** PEM. Never logged. */
  readonly key: string;
  /** Whose client certificates count, PEM; without it any does, as proof that its key is held (RFC 8705, 2.2). */
  readonly clientCa: string | undefined;
  readonly clientAuth: 'none' | 'request' | 'require';
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** The first certificate alone, PEM. */
  readonly leaf: string;
  readonly expiresAtMs: number;
}
