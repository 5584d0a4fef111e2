/** The messages in one HTTP answer of Streamable HTTP: a JSON body, or an event stream. */

import { isJsonObject } from '../../kernel/json-rpc.ts';

/** `data` of each event (HTML standard, server-sent events); comments and other fields are skipped. */
async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let buffer = '';
  let data: string[] = [];
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true });
    const lines = buffer.split('\n');
    buffer = lines.pop() ?? '';
    for (const raw of lines) {
      const line = raw.replace(/\r$/, '');
      if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
      else if (line === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
      }
    }
  }
}

/** Messages as they come. What is not JSON is skipped: the caller sees that no answer came. */
export async function* readAnswer(response: Response): AsyncGenerator {
  const { body } = response;
  if (!body) return;
  if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) {
    for await (const text of eventData(body)) {
      const message = parse(text);
      if (message !== undefined) yield message;
    }
    return;
  }
  const message = parse(await response.text());
  if (isJsonObject(message) || Array.isArray(message)) yield message;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
