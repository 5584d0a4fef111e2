/** What can still be told of a line that is not JSON. */

/** The two members that every answer has, side by side as all SDKs write them. Inside a text their quotes are escaped. */
const envelope = /"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,15})\s*[,}]/g;

/** Ids of the messages of which parts are in a line that is not JSON: an answer cut off, or two run together. */
export function brokenAnswers(line: string): number[] {
  return [...line.matchAll(envelope)].map(([, id]) => Number(id));
}
