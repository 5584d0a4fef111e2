/** Backups in a bucket of S3 or what speaks like it. An object is there whole or not at all, which S3 itself sees to. */

import { AppError, messageOf } from '../../../kernel/errors.ts';
import type { BackupTarget, StoredFile } from '../backup-target.ts';
import { type S3Client, type S3Options, createS3Client, elements, tag } from './s3-client.ts';

export interface S3TargetOptions extends S3Options {
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** Size of the first parts of a large object; S3 takes no less than 5 MiB. */
  readonly partBytes?: number;
}

/** Backups under `s3://<bucket>/<prefix>`. Throws BACKUP_FAILED. */
export function createS3Target(options: S3TargetOptions): BackupTarget {
  const { prefix, bucket, partBytes = 8 * 1024 * 1024 } = options;
  const client = createS3Client(options);
  const start = prefix === '' ? '' : `${prefix}/`;
  const keyOf = (name: string) => start + name;
  const label = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;

  return {
    label,
    async put(name, content) {
      const parts = inParts(content, partBytes)[Symbol.asyncIterator]();
      const first = await parts.next();
      const second = first.done ? first : await parts.next();
      if (second.done) {
        await client.call({
          method: 'PUT',
          key: keyOf(name),
          body: first.done ? new Uint8Array() : first.value,
        });
        return;
      }
      await putLarge(client, keyOf(name), continued([first.value, second.value], parts));
    },
    async *get(name) {
      const { body } = await client.call({ method: 'GET', key: keyOf(name) });
      try {
        if (body) yield* body;
      } catch (error) {
        throw new AppError('BACKUP_FAILED', { target: label, problem: messageOf(error) }, { cause: error });
      }
    },
    async list() {
      const files: StoredFile[] = [];
      for await (const page of pages(client, { 'list-type': '2', prefix: start })) {
        for (const one of elements(page, 'Contents')) {
          const key = tag(one, 'Key') ?? '';
          files.push({ name: key.slice(start.length), bytes: Number(tag(one, 'Size')) });
        }
      }
      return files;
    },
    async remove(names) {
      for (const name of names) await client.call({ method: 'DELETE', key: keyOf(name) });
    },
    async sweep(beforeMs) {
      const answer = await client.call({ method: 'GET', query: { uploads: '', prefix: start } });
      for (const upload of elements(await answer.text(), 'Upload')) {
        const begunMs = Date.parse(tag(upload, 'Initiated') ?? '');
        const [key, uploadId] = [tag(upload, 'Key'), tag(upload, 'UploadId')];
        if (!(begunMs < beforeMs) || !key?.startsWith(start) || uploadId === undefined) continue;
        await client.call({ method: 'DELETE', key, query: { uploadId } });
      }
    },
  };
}

async function* pages(client: S3Client, query: Readonly<Record<string, string>>): AsyncGenerator<string> {
  let token: string | undefined;
  do {
    const asked = token === undefined ? query : { ...query, 'continuation-token': token };
    const answer = await client.call({ method: 'GET', query: asked });
    const text = await answer.text();
    yield text;
    token = tag(text, 'IsTruncated') === 'true' ? tag(text, 'NextContinuationToken') : undefined;
  } while (token !== undefined);
}

/** A multipart upload; a failure takes away what was sent. */
async function putLarge(
  client: S3Client,
  key: string,
  parts: AsyncIterable<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const begun = await client.call({ method: 'POST', key, query: { uploads: '' } });
  const uploadId = tag(await begun.text(), 'UploadId') ?? '';
  try {
    const tags: string[] = [];
    for await (const body of parts) {
      const query = { partNumber: String(tags.length + 1), uploadId };
      const { headers } = await client.call({ method: 'PUT', key, query, body });
      tags.push(headers.get('etag') ?? '');
    }
    const rows = tags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const body = Buffer.from(`<CompleteMultipartUpload>${rows.join('')}</CompleteMultipartUpload>`);
    const done = await client.call({ method: 'POST', key, query: { uploadId }, body });
    // A failure while S3 joins the parts comes with status 200.
    const answer = await done.text();
    if (answer.includes('<Error>'))
      throw new Error(tag(answer, 'Message') ?? 'the parts could not be joined');
  } catch (error) {
    await client.call({ method: 'DELETE', key, query: { uploadId } }).catch(() => {});
    throw error;
  }
}

async function* continued<T>(head: readonly T[], rest: AsyncIterator<T>): AsyncGenerator<T> {
  yield* head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

/** Each thousand parts are twice as long as those before: S3 takes 10,000 of them. */
async function* inParts(
  content: AsyncIterable<Uint8Array>,
  partBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  let count = 0;
  for await (const chunk of content) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < partBytes * 2 ** Math.floor(count / 1000)) continue;
    yield Buffer.concat(chunks);
    count += 1;
    chunks = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(chunks);
}
