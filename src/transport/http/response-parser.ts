/**
 * Reads HTTP/1.1 responses (RFC 9112) off a connection that carries one request at a time. What is doubtful is refused:
 * a lenient reader and its peer may disagree about where an answer ends.
 */

/** By lower-case name; a name that comes again has all its values. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Hears of one response, in this order. */
export interface ResponseListener {
  /** A final status: 200 or more. */
  onHead(status: number, headers: ResponseHeaders): void;
  onData(chunk: Buffer): void;
  /** `isReusable`: the connection may carry another request. */
  onEnd(isReusable: boolean): void;
}

/** Where the next byte belongs. */
type Place = 'head' | 'fixed' | 'size' | 'chunk' | 'after-chunk' | 'trailer' | 'until-close' | 'done';

const maxHeadBytes = 64 * 1024;
const maxChunkLineBytes = 1024;
const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const headerName = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
// eslint-disable-next-line no-control-regex -- these are what a value must not have
const badValue = /[\0-\x08\x0a-\x1f\x7f]/;
const noBytes = Buffer.alloc(0);

/** A class, as each connection has one: it is asked for every chunk. */
export class ResponseParser {
  private readonly listener: ResponseListener;
  private place: Place = 'done';
  /** What came of a head or a line that is not whole yet. */
  private held: Buffer = noBytes;
  /** Bytes of the body or chunk that are still to come. */
  private left = 0;
  private isReusable = false;
  private isWhole = false;

  constructor(listener: ResponseListener) {
    this.listener = listener;
  }

  /** A request goes out: a response may come. */
  expect(): void {
    this.place = 'head';
  }

  /** Takes what came; returns what is wrong with it, if anything. Nothing may be pushed after that. */
  push(chunk: Buffer): string | undefined {
    let data = chunk;
    if (this.held.length > 0) {
      data = Buffer.concat([this.held, chunk]);
      this.held = noBytes;
    }
    let at = 0;
    while (at < data.length && !this.isWhole) {
      const next = this.step(data, at);
      if (typeof next === 'string') return next;
      if (next < 0) {
        this.held = data.subarray(at);
        return undefined;
      }
      at = next;
    }
    // Told when all has been read: whoever hears of it may send the next request at once. More than an answer is none.
    if (this.isWhole) this.finish(this.isReusable && at === data.length);
    return undefined;
  }

  /** The peer ended the connection; returns what is wrong with that, if anything. */
  end(): string | undefined {
    if (this.place === 'done') return undefined;
    if (this.place !== 'until-close') return 'it closed the connection before its answer was whole';
    this.finish(false);
    return undefined;
  }

  /** Reads on from `at`: the place that it came to, -1 when more is needed, or what is wrong. */
  private step(data: Buffer, at: number): number | string {
    switch (this.place) {
      case 'head':
        return this.readHead(data, at);
      case 'fixed':
      case 'chunk':
        return this.readBody(data, at);
      case 'size':
        return this.readLine(data, at, (line) => this.takeSize(line));
      case 'after-chunk':
        return this.readLine(data, at, (line) => this.takeAfterChunk(line));
      case 'trailer':
        return this.readLine(data, at, (line) => this.takeTrailer(line));
      case 'until-close':
        this.listener.onData(at === 0 ? data : data.subarray(at));
        return data.length;
      default:
        return 'it sent what nobody asked for';
    }
  }

  private readHead(data: Buffer, at: number): number | string {
    const end = data.indexOf('\r\n\r\n', at, 'latin1');
    if (end < 0) return data.length - at > maxHeadBytes ? 'the head of its answer is too long' : -1;
    if (end - at > maxHeadBytes) return 'the head of its answer is too long';
    return this.takeHead(data.toString('latin1', at, end)) ?? end + 4;
  }

  private takeHead(text: string): string | undefined {
    const lines = text.split('\r\n');
    const [, minor, digits] = statusLine.exec(lines[0] ?? '') ?? [];
    if (digits === undefined) return 'its answer is not HTTP/1.1';
    const headers = headersOf(lines);
    if (typeof headers === 'string') return headers;
    const status = Number(digits);
    if (status === 101) return 'it changed the protocol unasked';
    // An interim response; the final one follows.
    if (status < 200) return undefined;
    const framing = framingOf(status, headers);
    if (typeof framing === 'string') return framing;
    this.isReusable = isPersistent(minor === '1', headers) && framing.place !== 'until-close';
    this.place = framing.place;
    this.left = framing.left;
    this.listener.onHead(status, headers);
    this.isWhole = framing.place === 'fixed' && framing.left === 0;
    return undefined;
  }

  private readBody(data: Buffer, at: number): number {
    const end = Math.min(data.length, at + this.left);
    this.left -= end - at;
    this.listener.onData(at === 0 && end === data.length ? data : data.subarray(at, end));
    if (this.left === 0) {
      if (this.place === 'chunk') this.place = 'after-chunk';
      else this.isWhole = true;
    }
    return end;
  }

  private readLine(data: Buffer, at: number, take: (line: string) => string | undefined): number | string {
    const end = data.indexOf('\r\n', at, 'latin1');
    if (end < 0 && data.length - at <= maxChunkLineBytes) return -1;
    if (end < 0 || end - at > maxChunkLineBytes) return 'its answer has a line that is too long';
    return take(data.toString('latin1', at, end)) ?? end + 2;
  }

  private takeSize(line: string): string | undefined {
    // Extensions after the size say nothing that anybody here listens to.
    const [, digits] = /^([\dA-Fa-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line) ?? [];
    if (digits === undefined) return 'its answer has a chunk without a size';
    this.left = Number.parseInt(digits, 16);
    this.place = this.left === 0 ? 'trailer' : 'chunk';
    return undefined;
  }

  private takeAfterChunk(line: string): string | undefined {
    if (line !== '') return 'its answer has a chunk that is longer than it says';
    this.place = 'size';
    return undefined;
  }

  private takeTrailer(line: string): string | undefined {
    if (line === '') this.isWhole = true;
    else if (typeof headersOf(['', line]) === 'string') return 'its answer has a broken trailer';
    return undefined;
  }

  private finish(isReusable: boolean): void {
    this.place = 'done';
    this.isWhole = false;
    this.listener.onEnd(isReusable);
  }
}

/** The headers after the first line, or what is wrong with them. */
function headersOf(lines: readonly string[]): Record<string, string | string[]> | string {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (let at = 1; at < lines.length; at += 1) {
    const line = lines[at]!;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    if (!headerName.test(name) || badValue.test(line)) return 'its answer has a broken header';
    const value = line.slice(colon + 1).trim();
    const key = name.toLowerCase();
    const before = headers[key];
    if (before === undefined) headers[key] = value;
    else if (typeof before === 'string') headers[key] = [before, value];
    else before.push(value);
  }
  return headers;
}

/** How the body is delimited (RFC 9112, section 6.3), or what is wrong with what says so. */
function framingOf(
  status: number,
  headers: ResponseHeaders,
): { readonly place: 'fixed' | 'size' | 'until-close'; readonly left: number } | string {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (status === 204 || status === 304) return { place: 'fixed', left: 0 };
  if (coding !== undefined) {
    if (length !== undefined) return 'its answer has two lengths';
    return typeof coding === 'string' && coding.toLowerCase() === 'chunked'
      ? { place: 'size', left: 0 }
      : 'its answer has an unknown transfer coding';
  }
  if (length === undefined) return { place: 'until-close', left: 0 };
  return typeof length === 'string' && /^\d{1,15}$/.test(length)
    ? { place: 'fixed', left: Number(length) }
    : 'its answer has a broken Content-Length';
}

function isPersistent(isNewer: boolean, { connection = '' }: ResponseHeaders): boolean {
  if (connection === 'keep-alive') return true;
  if (connection === '') return isNewer;
  const options = String(connection).toLowerCase().split(/ *, */);
  return !options.includes('close') && (isNewer || options.includes('keep-alive'));
}
