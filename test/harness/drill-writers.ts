/** Clients of a coordinator that write as fast as they are answered, and note what they were told is durable. */

import { Agent, request } from 'node:http';

export interface AcknowledgedWrite {
  readonly key: string;
  readonly etag: string;
  readonly seq: number;
  /** When the answer came, in milliseconds since the Unix epoch. */
  readonly atMs: number;
}

export interface Writers {
  readonly acknowledged: readonly AcknowledgedWrite[];
  /** Ends the writing; errors of a coordinator that is gone count for nothing. */
  stop(): Promise<void>;
}

const writers = 8;
const keysPerWriter = 25;

/** Starts them against `http://host:port`. */
export function startWriters(origin: string): Writers {
  const agent = new Agent({ keepAlive: true, maxSockets: writers });
  const acknowledged: AcknowledgedWrite[] = [];
  const ending = new AbortController();

  async function write(writer: number): Promise<void> {
    for (let i = 0; !ending.signal.aborted; i++) {
      const key = `k/${writer}/${i % keysPerWriter}`;
      try {
        const answer = await put(agent, `${origin}/api/v1/memory/shared/${encodeURIComponent(key)}`, {
          value: { writer, i, text: `value ${i} of writer ${writer}` },
        });
        acknowledged.push({ key, ...answer, atMs: Date.now() });
      } catch {
        if (!ending.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  const running = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return {
    acknowledged,
    async stop() {
      ending.abort();
      agent.destroy();
      await running;
    },
  };
}

function put(agent: Agent, url: string, body: object): Promise<{ etag: string; seq: number }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const call = request(url, { method: 'PUT', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', reject).on('end', () => {
        if (response.statusCode !== 200) {
          reject(new Error(`status ${response.statusCode}: ${text.slice(0, 200)}`));
          return;
        }
        const { etag, seq } = JSON.parse(text) as { etag: string; seq: number };
        resolve({ etag, seq });
      });
    });
    call.on('error', reject);
    call.end(JSON.stringify(body));
  });
}
