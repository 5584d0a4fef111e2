/** Values in HTTP headers that repeat something of the body (2026-07-28, standard request headers). */

/** Visible ASCII with inner spaces and tabs: what survives a header field unchanged (RFC 9110 section 5.5). */
const plainValue = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
const looksEncoded = /^=\?base64\?.*\?=$/s;

/** The value itself where a header can carry it, else `=?base64?<UTF-8 in Base64>?=`. */
export function encodeHeaderValue(value: string): string {
  if (plainValue.test(value) && !looksEncoded.test(value)) return value;
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
