/** Reads the body of one HTTP answer: one JSON value, an event stream, or the text of an error. */

import { type ParsedMessage, parseMessage } from '../../kernel/result-text.ts';
import type { ExchangeEnd, ExchangeHandlers } from './http-client.ts';
import { createSseParser, type SseParser, type SsePosition } from './sse-parser.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Error pages are cut at this size. */
const maxErrorBodyBytes = 64 * 1024;

/** A class, as a call makes one: closures would be a dozen objects, most of them never used. */
export class AnswerReader {
  private readonly maxBytes: number;
  private readonly handlers: ExchangeHandlers;
  private status = 0;
  private kind: 'json' | 'events' | 'other' = 'other';
  private chunks: Buffer[] = [];
  private bytes = 0;
  private problem: string | undefined;
  private sse: SseParser | undefined;

  constructor(maxBytes: number, handlers: ExchangeHandlers) {
    this.maxBytes = maxBytes;
    this.handlers = handlers;
  }

  start(status: number, headers: Headers): void {
    this.status = status;
    const type = mediaType(headers['content-type']);
    if (type === 'application/json' || type.endsWith('+json')) this.kind = 'json';
    if (type === 'text/event-stream' && status < 400) {
      this.kind = 'events';
      this.sse = this.createEvents();
    }
    if (status < 400) this.handlers.onHead?.(status, headers);
  }

  /** Takes a chunk; returns what is wrong with it, if anything. */
  push(chunk: Buffer): string | undefined {
    if (this.sse) {
      this.sse.push(chunk);
      return this.problem;
    }
    this.bytes += chunk.length;
    if (this.status >= 400 || this.kind === 'other') {
      if (this.bytes <= maxErrorBodyBytes) this.chunks.push(chunk);
      return undefined;
    }
    if (this.bytes > this.maxBytes) return this.tooLong();
    this.chunks.push(chunk);
    return undefined;
  }

  end(): ExchangeEnd {
    const { status, chunks } = this;
    const [only] = chunks;
    const text = (chunks.length === 1 && only ? only : Buffer.concat(chunks)).toString('utf8');
    this.chunks = [];
    if (status >= 400) return { kind: 'answered', status, body: this.kind === 'json' ? parsed(text) : text };
    if (this.kind === 'json' && text.trim() !== '') this.deliver(text);
    return this.problem === undefined
      ? { kind: 'answered', status }
      : { kind: 'invalid', problem: this.problem };
  }

  position(): SsePosition | undefined {
    return this.sse?.position();
  }

  private createEvents(): SseParser {
    return createSseParser({
      maxChars: this.maxBytes,
      onEvent: (event) => {
        // An empty event only carries the id to resume from.
        if (event.type === 'message' && event.data !== '') this.deliver(event.data);
      },
      onTooLong: () => {
        this.problem = this.tooLong();
      },
    });
  }

  private deliver(text: string): void {
    let answer: ParsedMessage;
    try {
      answer = parseMessage(text);
    } catch {
      this.problem ??= 'its answer is not JSON';
      return;
    }
    const { message, resultText } = answer;
    // 2025-03-26 allowed batches.
    if (Array.isArray(message)) for (const one of message) this.handlers.onMessage(one);
    else this.handlers.onMessage(message, resultText);
  }

  private tooLong(): string {
    return `it sent a message of more than ${this.maxBytes} bytes`;
  }
}

function mediaType(header: string | string[] | undefined): string {
  if (header === 'application/json') return header;
  return String(header ?? '')
    .split(';', 1)[0]!
    .trim()
    .toLowerCase();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
