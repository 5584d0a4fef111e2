/** Built-in MCP servers as data: one file declares a server with its tools; hosts and catalog read it. */

import type { z } from 'zod';
import type { MemoryInput, MemoryOperation, MemoryOutput } from './memory/operations.ts';
import type { McpLogLevel } from './protocol.ts';

/** The running instance a tool works for. */
export interface InstanceContext {
  /** e.g. `sqlite-3104`. */
  readonly id: string;
  /** Name of the definition, e.g. `sqlite`. */
  readonly name: string;
  readonly category: string;
  readonly port: number;
  /** Absolute folder this server may write to; shared by all instances of one definition; made on first use by the tool. */
  readonly dataDir: string;
}

/** What a tool may do besides computing its answer. */
export interface ToolContext<Settings = unknown> {
  /** Aborted when the client cancels or the instance stops. */
  readonly signal: AbortSignal;
  readonly instance: InstanceContext;
  /** Parsed by the server's `settings` shape. */
  readonly settings: Settings;
  /** Sends a progress notification if the client asked for them. */
  progress(update: { progress: number; total?: number; message?: string }): void;
  /** Sends a log message to the client if its level asks for it. */
  log(level: McpLogLevel, data: unknown): void;
  /** The shared Git memory; the caller's identity is added by the host. */
  memory<Op extends MemoryOperation>(operation: Op, input: MemoryInput<Op>): Promise<MemoryOutput<Op>>;
}

export interface ToolAnnotations {
  readonly title?: string;
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** A block of `content` in a tool's result (text, image, audio, resource_link, resource). */
export interface ContentBlock {
  readonly type: string;
  readonly [key: string]: unknown;
}

const contentMark = Symbol('content');

/** A structured answer together with the blocks a client shows instead of its JSON text. */
export interface WithContent<T> {
  readonly [contentMark]: true;
  readonly structured: T;
  readonly content: readonly ContentBlock[];
}

/** Wraps a tool's answer with its own content blocks (an image, say). */
export function withContent<T>(structured: T, content: readonly ContentBlock[]): WithContent<T> {
  return { [contentMark]: true, structured, content };
}

export function isWithContent(value: unknown): value is WithContent<unknown> {
  return typeof value === 'object' && value !== null && contentMark in value;
}

/** A failure that the model should read and act on; becomes a result with `isError`, never a protocol error. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

export interface ToolDefinition {
  /** `[a-z0-9_]+`, unique in its server. */
  readonly name: string;
  readonly title: string;
  /** What it does, when to use it, what comes back: written for a language model. */
  readonly description: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  readonly annotations: ToolAnnotations;
  readonly run: (args: never, context: ToolContext<never>) => Promise<unknown>;
}

/** Declares a tool; `run` gets the parsed input and returns the output, or `withContent(output, blocks)`. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject, Settings = unknown>(tool: {
  name: string;
  title: string;
  description: string;
  input: I;
  output: O;
  annotations: ToolAnnotations;
  run: (args: z.output<I>, context: ToolContext<Settings>) => Promise<z.input<O> | WithContent<z.input<O>>>;
}): ToolDefinition {
  return tool;
}

export interface ResourceTemplate {
  /** RFC 6570. */
  readonly uriTemplate: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
}

export interface ResourceContents {
  readonly uri: string;
  readonly mimeType: string;
  readonly text: string;
}

/** A change of the shared memory, as far as a resource needs to know of it. */
export interface MemoryChangeNotice {
  readonly scope: string;
  readonly key: string;
  /** Its place in the change feed; who missed what came later asks for the changes since there. */
  readonly position?: string;
}

/** What a server offers to read by URI, besides its tools. */
export interface ResourceProvider {
  readonly templates: readonly ResourceTemplate[];
  /** One spelling for all spellings of a URI; undefined when it is none of this server's. */
  canonical(uri: string): string | undefined;
  /** Throws RESOURCE_NOT_FOUND. */
  read(uri: string, context: ToolContext<never>): Promise<readonly ResourceContents[]>;
  /** Values that go on from `value` for a variable of a template, best first; `given` are the others so far. */
  complete(
    variable: string,
    value: string,
    given: Readonly<Record<string, unknown>>,
    context: ToolContext<never>,
  ): Promise<readonly string[]>;
  /** The canonical URI whose content a change of the memory has changed. */
  changedUri(change: MemoryChangeNotice): string | undefined;
}

/** A call that tells whether an instance works: a read-only tool that needs no network and nothing set up. */
export interface Probe {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface ServerDefinition {
  /** kebab-case, at most 24 characters; the alias in tool names. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly version: string;
  /** A category of the port table, or `core` for the curated servers on 4100-4109. */
  readonly category: string;
  /** The first instance's port. */
  readonly port: number;
  /** Text for a model about how the tools work together. */
  readonly instructions?: string;
  /** Shape of this server's `settings` in the config; its defaults must make it run without any. */
  readonly settings?: z.ZodType;
  /** Names of environment variables or settings without which it cannot run; `--servers N` leaves such a server out. */
  readonly credentials?: readonly string[];
  readonly tools: readonly ToolDefinition[];
  readonly resources?: ResourceProvider;
  /** Called on each instance that a deployment adds; without one its tools are listed and it is pinged. */
  readonly probe?: Probe;
}

/** Declares a built-in server. One file each, exported as default. */
export function defineServer(server: ServerDefinition): ServerDefinition {
  return server;
}
