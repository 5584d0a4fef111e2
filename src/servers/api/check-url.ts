/** The tool that says whether a URL answers, how fast, and until when its certificate is good. */

import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { z } from 'zod';
import { defineTool, type ToolContext, ToolError } from '../../kernel/define-server.ts';
import { isAppError, messageOf } from '../../kernel/errors.ts';
import { openExchange } from './exchange.ts';
import type { HttpSettings } from './http-settings.ts';
import { outgoingFor } from './outgoing.ts';
import { maxRedirectsShape, timeoutShape, urlShape } from './request-parts.ts';

const tlsShape = z.object({
  valid: z.boolean().describe('True when the chain and the host name verify.'),
  problem: z.string().optional().describe('Why it does not verify.'),
  protocol: z.string().describe('e.g. TLSv1.3.'),
  subject: z.string().describe('Common name of the certificate.'),
  issuer: z.string().describe('Organisation or common name of the issuer.'),
  altNames: z.array(z.string()).describe('Names that the certificate is for.'),
  validFrom: z.string().describe('ISO 8601 time.'),
  validTo: z.string().describe('ISO 8601 time.'),
  daysLeft: z.number().int().describe('Whole days until it expires; negative when it has.'),
});

type TlsReport = z.infer<typeof tlsShape>;

const dayMs = 86_400_000;

export const checkUrl = defineTool({
  name: 'check_url',
  title: 'Check a URL',
  description:
    'Find out whether a URL is up, without reading its content: status, latency, redirects and, for https, the ' +
    'certificate with the days it has left. Sends HEAD, or GET where HEAD is not served. A site that is down is an ' +
    'answer (up: false with the problem), not an error.',
  input: z.strictObject({
    url: urlShape,
    timeoutMs: timeoutShape.default(10_000),
    maxRedirects: maxRedirectsShape.default(5),
  }),
  output: z.object({
    up: z.boolean().describe('True when an HTTP answer below 500 came.'),
    status: z.number().int().optional().describe('HTTP status code, if any came.'),
    latencyMs: z
      .number()
      .int()
      .optional()
      .describe('Milliseconds until the last answer’s headers, redirects included.'),
    url: z.string().describe('Where the answer came from, after redirects.'),
    redirectedFrom: z.array(z.string()).describe('URLs that redirected, in order.'),
    problem: z.string().optional().describe('Why it is not up.'),
    tls: tlsShape.optional().describe('The certificate of the given URL, for https.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: true },
  run: async (args, context: ToolContext<HttpSettings>) => {
    // A refused target is the caller's mistake and throws; a dead one is the answer.
    const { guard } = outgoingFor(context.settings);
    const url = guard.checkUrl(args.url);
    const report = { up: false, url: url.href, redirectedFrom: [] as string[] };
    const tls =
      url.protocol === 'https:'
        ? await inspectTls(url, args.timeoutMs, context).catch(refusedOnly)
        : undefined;
    try {
      const answer = await probe(args, context);
      const up = answer.status < 500;
      return { ...report, ...answer, up, problem: up ? undefined : `status ${answer.status}`, tls };
    } catch (error) {
      refusedOnly(error);
      if (context.signal.aborted) throw error;
      return { ...report, problem: messageOf(error), tls };
    }
  },
});

function refusedOnly(error: unknown): undefined {
  if (isAppError(error, 'FORBIDDEN', 'INVALID_INPUT')) throw error;
  return undefined;
}

async function probe(
  args: { readonly url: string; readonly timeoutMs: number; readonly maxRedirects: number },
  context: ToolContext<HttpSettings>,
) {
  for (const method of ['HEAD', 'GET'] as const) {
    const answer = await openExchange({ ...args, method, headers: {} }, context);
    const latencyMs = Math.round(performance.now() - answer.startedMs);
    answer.response.body.destroy();
    const status = answer.response.statusCode;
    if (method === 'HEAD' && (status === 405 || status === 501)) continue;
    return { status, latencyMs, url: answer.url.href, redirectedFrom: [...answer.redirectedFrom] };
  }
  throw new ToolError('url: neither HEAD nor GET is served');
}

/** Shakes hands without sending anything, and reports even a certificate that does not verify. */
async function inspectTls(
  url: URL,
  timeoutMs: number,
  context: ToolContext<HttpSettings>,
): Promise<TlsReport> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port) || 443;
  const [target] = await outgoingFor(context.settings).guard.resolve(host, port);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]);
  return new Promise<TlsReport>((resolve, reject) => {
    const socket = connect({
      host: target!.address,
      port,
      servername: isIP(host) === 0 ? host : '',
      rejectUnauthorized: false,
    });
    const stop = () => socket.destroy(new Error('aborted'));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    socket.once('secureConnect', () => resolve(describeTls(socket)));
    socket.once('error', reject);
    socket.once('close', () => {
      signal.removeEventListener('abort', stop);
      reject(new Error('closed before the handshake was done'));
    });
  });
}

function describeTls(socket: TLSSocket): TlsReport {
  const certificate: DetailedPeerCertificate = socket.getPeerCertificate(true);
  const validTo = new Date(certificate.valid_to);
  const report = {
    valid: socket.authorized,
    problem: socket.authorized ? undefined : messageOf(socket.authorizationError),
    protocol: socket.getProtocol() ?? '',
    subject: textOf(certificate.subject?.CN),
    issuer: textOf(certificate.issuer?.O ?? certificate.issuer?.CN),
    altNames: (certificate.subjectaltname ?? '').split(', ').filter((name) => name !== ''),
    validFrom: new Date(certificate.valid_from).toISOString(),
    validTo: validTo.toISOString(),
    daysLeft: Math.floor((validTo.getTime() - Date.now()) / dayMs),
  };
  socket.destroy();
  return report;
}

function textOf(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}
