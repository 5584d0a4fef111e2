/** TLS of the listeners, and what is known of a proxy before them. */

import { z } from 'zod';

/** Whether clients show certificates. */
export const clientAuthModes = ['none', 'request', 'require'] as const;

export const tlsShape = z.strictObject({
  cert: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the certificate and those between it and its CA, PEM. With `key` it turns TLS on; both are read again when they change.',
    )
    .meta({ examples: ['/etc/letsencrypt/live/mcp.example.org/fullchain.pem'] }),
  key: z
    .string()
    .min(1)
    .optional()
    .describe('File with the private key of `tls.cert`, PEM, without a passphrase.')
    .meta({ examples: ['/etc/letsencrypt/live/mcp.example.org/privkey.pem'] }),
  clientCa: z
    .string()
    .min(1)
    .optional()
    .describe('File with the CAs whose client certificates count, PEM.')
    .meta({ examples: ['client-ca.pem'] }),
  clientAuth: z
    .enum(clientAuthModes)
    .default('none')
    .describe(
      '`request`: clients may show a certificate. `require`: no connection without one that `tls.clientCa` vouches for.',
    ),
  minVersion: z
    .enum(['TLSv1.2', 'TLSv1.3'])
    .default('TLSv1.2')
    .describe('Oldest version of TLS that is spoken.'),
});

/** What proxies say of the client they speak for. */
export const proxyFields = {
  trustedProxies: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Addresses and networks (CIDR) of proxies that are believed when they say for whom they ask, e.g. 10.0.0.0/8.',
    ),
  forwardedHeader: z
    .enum(['x-forwarded', 'forwarded'])
    .default('x-forwarded')
    .describe(
      'How they say it: `X-Forwarded-For` and `-Proto`, or `Forwarded` (RFC 7239). Only the one that they set themselves may be believed.',
    ),
};
