/** The two official SDK clients, connected to a URL or to a child process. */

import {
  Client,
  type ClientCapabilities,
  type ClientOptions,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as V1HttpTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';

export type ClientEra = 'legacy' | 'auto' | 'modern';

/** What the person and the model behind a client answer; each also declares its capability. */
export interface Answers {
  readonly elicit?: (message: string) => Record<string, unknown>;
  readonly sample?: (prompt: string) => string;
  readonly roots?: readonly { uri: string; name?: string }[];
}

const info = { name: 'e2e-client', version: '1.0.0' };

function capabilitiesOf(answers: Answers): ClientCapabilities {
  return {
    ...(answers.elicit && { elicitation: {} }),
    ...(answers.sample && { sampling: {} }),
    ...(answers.roots && { roots: { listChanged: true } }),
  };
}

function versionNegotiation(era: ClientEra): ClientOptions['versionNegotiation'] {
  if (era === 'legacy') return undefined;
  return era === 'auto' ? { mode: 'auto' } : { mode: { pin: '2026-07-28' } };
}

/** The text of the first message of a sampling request. */
function promptOf(params: unknown): string {
  const { messages } = params as { messages: { content: { text: string } | { text: string }[] }[] };
  const content = messages[0]!.content;
  return Array.isArray(content) ? content[0]!.text : content.text;
}

function sampled(text: string) {
  return {
    role: 'assistant' as const,
    content: { type: 'text' as const, text },
    model: 'e2e-model',
    stopReason: 'endTurn',
  };
}

function createV2(era: ClientEra, answers: Answers): Client {
  const { elicit, sample, roots } = answers;
  const client = new Client(info, {
    capabilities: capabilitiesOf(answers),
    versionNegotiation: versionNegotiation(era),
  });
  if (elicit) {
    client.setRequestHandler('elicitation/create', ({ params }) => ({
      action: 'accept',
      content: elicit(params.message) as Record<string, string>,
    }));
  }
  if (sample)
    client.setRequestHandler('sampling/createMessage', ({ params }) => sampled(sample(promptOf(params))));
  if (roots) client.setRequestHandler('roots/list', () => ({ roots: [...roots] }));
  return client;
}

/** The v2 client over Streamable HTTP. */
export async function connectV2(
  url: string,
  era: ClientEra = 'legacy',
  answers: Answers = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Client> {
  const client = createV2(era, answers);
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { ...headers } } }),
  );
  return client;
}

/** The v2 client on a child process. */
export async function connectStdio(
  command: string,
  args: readonly string[],
  era: ClientEra = 'legacy',
  env: Readonly<Record<string, string>> = {},
  answers: Answers = {},
): Promise<Client> {
  const client = createV2(era, answers);
  await client.connect(new StdioClientTransport({ command, args: [...args], env, stderr: 'ignore' }));
  return client;
}

/** The v1 client over Streamable HTTP; it knows the legacy era only. */
export async function connectV1(
  url: string,
  answers: Answers = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<V1Client> {
  const { elicit, sample, roots } = answers;
  const client = new V1Client(info, { capabilities: capabilitiesOf(answers) });
  if (elicit) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
      action: 'accept' as const,
      content: elicit(params.message) as Record<string, string>,
    }));
  }
  if (sample) {
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => sampled(sample(promptOf(params))));
  }
  if (roots) client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [...roots] }));
  await client.connect(new V1HttpTransport(new URL(url), { requestInit: { headers: { ...headers } } }));
  return client;
}

/** The first text block of a result. */
export function textOf(result: unknown): string {
  const { content } = result as { content: { type: string; text?: string }[] };
  return content.find((block) => block.type === 'text')?.text ?? '';
}
