/** Newline-delimited messages (MCP, stdio transport). Not node:readline: that also splits at U+2028, which JSON may hold. */

const maxLineBytes = 64 * 1024 * 1024;

/** Lines of a byte stream without their ends, empty ones left out. A line beyond 64 MiB ends the stream with a RangeError. */
export async function* readLines(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    let rest = Buffer.from(chunk as Uint8Array);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      parts.push(rest.subarray(0, end));
      const line = Buffer.concat(parts).toString('utf8').trim();
      if (line !== '') yield line;
      parts = [];
      bytes = 0;
      rest = rest.subarray(end + 1);
    }
    parts.push(rest);
    bytes += rest.length;
    if (bytes > maxLineBytes) throw new RangeError(`a message is longer than ${maxLineBytes} bytes`);
  }
  const last = Buffer.concat(parts).toString('utf8').trim();
  if (last !== '') yield last;
}
