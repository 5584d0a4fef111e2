/** Bounds on connections and on what is read of a request before anybody knows who sent it. */

import { z } from 'zod';

export const connectionsShape = z.strictObject({
  max: z.int().min(1).default(10_000).describe('Most connections at a time; one more is answered with 503.'),
  maxPerAddress: z
    .int()
    .min(1)
    .default(1000)
    .describe(
      'Most connections of one address, of IPv6 of one /64; loopback and trusted proxies have only the bound of all.',
    ),
  headerBytes: z
    .int()
    .min(1024)
    .max(1_048_576)
    .default(16_384)
    .describe('Largest head of a request, in bytes: its URL and headers together.'),
  headerCount: z.int().min(10).max(2000).default(100).describe('Most headers of a request.'),
  urlBytes: z.int().min(256).max(1_048_576).default(8192).describe('Longest path with query, in bytes.'),
  jsonDepth: z
    .int()
    .min(8)
    .max(2000)
    .default(128)
    .describe('How deep arrays and objects of a JSON body may lie in each other.'),
  headersTimeoutMs: z
    .int()
    .min(100)
    .default(30_000)
    .describe('A handshake, and the head of a request, have to be there in time, in milliseconds.'),
  requestTimeoutMs: z
    .int()
    .min(100)
    .default(120_000)
    .describe(
      'So has a whole request, body included, in milliseconds. How long its answer takes is not bounded.',
    ),
  minBodyBytesPerSecond: z
    .int()
    .min(0)
    .default(100)
    .describe('A body that comes more slowly for ten seconds is given up; 0 takes any.'),
  keepAliveTimeoutMs: z
    .int()
    .min(0)
    .default(60_000)
    .describe('A connection without a request is closed after so long, in milliseconds; 0 for never.'),
  requestsPerConnection: z
    .int()
    .min(0)
    .default(0)
    .describe('After so many requests a connection is closed; 0 for no bound.'),
  pipelinedRequests: z
    .int()
    .min(1)
    .default(64)
    .describe('Most requests of one connection that wait for their answers; one more ends it.'),
});
