/** The few calls of S3 that backups need, over fetch, with path-style addresses: AWS, MinIO, Ceph, R2 and others. */

import { setTimeout as wait } from 'node:timers/promises';
import { AppError, messageOf } from '../../../kernel/errors.ts';
import { type S3Credentials, canonicalQuery, encodeUri, signRequest } from './sign-request.ts';

export interface S3Options {
  readonly bucket: string;
  /** `https://s3.<region>.amazonaws.com` unless said otherwise. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly credentials: S3Credentials;
  /** Pauses before a request is tried again. */
  readonly retryDelaysMs?: readonly number[];
}

export interface S3Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Key in the bucket; the bucket itself without one. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

export interface S3Client {
  /** The answer with a 2xx status. Throws NOT_FOUND for a key that is not there, else BACKUP_FAILED. */
  call(call: S3Call): Promise<Response>;
}

const requestTimeoutMs = 300_000;

/** A client of one bucket; nothing is sent before the first call. */
export function createS3Client(options: S3Options): S3Client {
  const { bucket, region, credentials, retryDelaysMs = [200, 1000, 4000] } = options;
  const base = new URL(options.endpoint ?? `https://s3.${region}.amazonaws.com`);
  const target = `s3://${bucket}`;

  async function tryOnce({ method, key, query, body }: S3Call): Promise<Response> {
    const path = `${base.pathname.replace(/\/$/, '')}/${bucket}${key === undefined ? '' : `/${key}`}`;
    const request = { method, host: base.host, path, ...(query && { query }), ...(body && { body }) };
    const headers = signRequest(request, credentials, region, new Date());
    const search = canonicalQuery(query);
    const url = `${base.origin}${encodeUri(path, true)}${search === '' ? '' : `?${search}`}`;
    return fetch(url, {
      method,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(requestTimeoutMs),
      ...(body && { body }),
    });
  }

  return {
    async call(call) {
      for (let attempt = 0; ; attempt++) {
        const delayMs = retryDelaysMs[attempt];
        const answer = await tryOnce(call).catch((error: unknown) => error);
        if (answer instanceof Response) {
          if (answer.ok) return answer;
          const text = await answer.text();
          const code = tag(text, 'Code') ?? '';
          if (answer.status === 404 && code !== 'NoSuchBucket')
            throw new AppError('NOT_FOUND', { what: 'backup file', id: call.key ?? bucket });
          const isPassing = answer.status >= 500 || answer.status === 429;
          if (!isPassing || delayMs === undefined) {
            const problem = `${call.method} answered ${answer.status} ${code}: ${tag(text, 'Message') ?? ''}`;
            throw new AppError('BACKUP_FAILED', { target, problem: problem.trim() });
          }
        } else if (delayMs === undefined) {
          const cause = answer instanceof Error && answer.cause instanceof Error ? answer.cause : answer;
          const problem = `${call.method}: ${messageOf(cause)}`;
          throw new AppError('BACKUP_FAILED', { target, problem }, { cause: answer });
        }
        await wait(delayMs);
      }
    },
  };
}

/** The text of the first element of a name in an XML answer. */
export function tag(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text === undefined ? undefined : decodeEntities(text);
}

/** The insides of all elements of a name that hold no element of the same name. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map((match) => match[1] ?? '');
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(String(hex), 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return entities[name] ?? whole;
  });
}
