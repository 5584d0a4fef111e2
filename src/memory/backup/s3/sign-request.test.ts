import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type S3Request, canonicalQuery, encodeUri, signRequest } from './sign-request.ts';

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const at = new Date('2013-05-24T00:00:00Z');
const host = 'examplebucket.s3.amazonaws.com';

/** The examples of AWS: sig-v4-header-based-auth, "Examples: Signature Calculations". */
const published: readonly (readonly [string, S3Request, string])[] = [
  [
    'GET object with a range',
    { method: 'GET', host, path: '/test.txt', headers: { Range: 'bytes=0-9' } },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'PUT object with a dollar in its name',
    {
      method: 'PUT',
      host,
      path: '/test$file.text',
      headers: { Date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      body: Buffer.from('Welcome to Amazon S3.'),
    },
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'GET bucket lifecycle',
    { method: 'GET', host, path: '/', query: { lifecycle: '' } },
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'GET bucket, list objects',
    { method: 'GET', host, path: '/', query: { 'max-keys': '2', prefix: 'J' } },
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
];

describe('Signature Version 4', () => {
  it.each(published)('%s: as AWS published it', (_name, request, signature) => {
    const { authorization } = signRequest(request, credentials, 'us-east-1', at);
    expect(authorization?.split('Signature=')[1]).toBe(signature);
    expect(authorization).toContain(
      'Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=',
    );
  });

  it('signs a session token too', () => {
    const request = { method: 'GET', host, path: '/' };
    const signed = signRequest(request, { ...credentials, sessionToken: 'T' }, 'eu-west-1', at);
    expect(signed['x-amz-security-token']).toBe('T');
    expect(signed['authorization']).toContain(
      'SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,',
    );
  });

  it('leaves only unreserved characters unencoded, and loses nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const encoded = encodeUri(text);
        expect(encoded).toMatch(/^(?:[A-Za-z0-9_.~-]|%[0-9A-F]{2})*$/);
        expect(decodeURIComponent(encoded)).toBe(text);
        expect(encodeUri(text, true)).toBe(
          text
            .split('/')
            .map((part) => encodeUri(part))
            .join('/'),
        );
      }),
    );
  });

  it('sorts the query whatever order it comes in', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (query) => {
        const turned = Object.fromEntries(Object.entries(query).toReversed());
        expect(canonicalQuery(turned)).toBe(canonicalQuery(query));
      }),
    );
  });
});
