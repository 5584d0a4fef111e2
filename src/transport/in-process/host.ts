/** One host worker thread and the connections it serves. */

import { availableParallelism, totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { InstanceContext, MemoryChangeNotice } from '../../kernel/define-server.ts';
import { messageOf, toAppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { MemoryCaller, MemoryOperation } from '../../kernel/memory/operations.ts';
import { watchBlock } from './block-watch.ts';
import { createPulse } from './pulse.ts';
import { watchUtilization } from './utilization.ts';
import type { FromHost, ToHost } from './wire.ts';

/** Runs an operation of the shared memory on behalf of a tool. */
export type RunMemory = (
  operation: MemoryOperation,
  input: unknown,
  caller: MemoryCaller,
) => Promise<unknown>;

/** Whose doing the end of a thread is, as one of its connections sees it. */
export type Blame = 'ours' | 'own' | 'of another' | 'unknown';

/** What a host tells the connection it belongs to. */
export interface HostListener {
  onMessage(message: Extract<FromHost, { connection: number }>): void;
  /** The worker is gone: by our own doing, by that of a server here or, as far as can be told, of this connection's. */
  onExit(problem: string, blame: Blame): void;
  /** A tool holds up the worker, one of this connection when `isCause`: go elsewhere with what was not begun. */
  onBlocked(problem: string, isCause: boolean): void;
  /** It has a call that the worker has begun. */
  readonly isWorking: () => boolean;
}

export interface Host {
  /** Connections served now. */
  readonly connections: number;
  /** How busy its thread was lately, 0 to 1. */
  readonly utilization: number;
  readonly isAlive: boolean;
  /** No new connections: a tool holds it up, or did. It ends when the calls that it has begun have ended. */
  readonly isBlocked: boolean;
  /** Opens a connection; its messages and its end go to the listener. */
  open(
    spec: { module: string; instance: InstanceContext; settings: unknown },
    listener: HostListener,
  ): number;
  post(message: Extract<ToHost, { kind: 'cancel' | 'subscribe' | 'unsubscribe' }>): void;
  /** Posts a call; returns its number. */
  call(message: Extract<ToHost, { kind: 'call' }>): number;
  /** True when the worker took the call with this number up; of one that it did not, nothing has happened. */
  hasBegun(call: number): boolean;
  /** Tells the servers of this host that the shared memory changed, if any of them has been asked to watch it. */
  memoryChanged(change: MemoryChangeNotice): void;
  close(connection: number): void;
  /** Ends the thread; resolves when it has ended. */
  terminate(): Promise<void>;
}

/** `.ts` in the tree, `.js` in a published build. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const entry = new URL(`./host-worker${extension}`, import.meta.url);

/** A thread that is held up does not end by itself. */
const longestEndMs = 2000;

/** A runaway server must fail in its own heap before the machine swaps; small machines still get 256 MiB a host. */
function maxHeapMb(): number {
  const perHost = totalmem() / 1024 / 1024 / 2 / availableParallelism();
  return Math.round(Math.min(Math.max(perHost, 256), 4096));
}

export function createHost(options: {
  logger: Logger;
  memory: RunMemory;
  /** The thread ended though it was in use, not by our doing. */
  onCrash: () => void;
}): Host {
  const { logger } = options;
  const listeners = new Map<number, HostListener>();
  const serverOf = new Map<number, string>();
  const pulse = createPulse();
  let lastConnection = 0;
  let lastCall = 0;
  let isBlocked = false;
  let isAlive = true;
  let isOwn = false;
  /** Set by the first subscription: until then changes of the memory are nobody's business here. */
  let isWatching = false;
  let problem = 'its host thread ended';
  const exited = Promise.withResolvers<void>();
  const worker = new Worker(entry, {
    name: 'git-memory-mcp-host',
    // Flags of the coordinator's own command line (an inspector port, say) are not for its threads.
    execArgv: [],
    workerData: pulse.memory,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb() },
  });
  const utilization = watchUtilization(worker);
  const post = (message: ToHost) => worker.postMessage(message);

  async function runMemory(message: Extract<FromHost, { kind: 'memory' }>): Promise<void> {
    const { id, operation, input, caller } = message;
    try {
      post({ kind: 'memory-result', id, value: await options.memory(operation, input, caller) });
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'INTERNAL')
        logger.error({ err: thrown, operation, id: error.id }, 'memory operation failed');
      post({
        kind: 'memory-error',
        id,
        error: { code: error.code, data: { ...error.data, id: error.id } },
      });
    }
  }

  function onMessage(message: FromHost): void {
    if (message.kind === 'memory') void runMemory(message);
    else if (message.kind === 'log') logger[message.level](message.data, message.message);
    else listeners.get(message.connection)?.onMessage(message);
  }

  /** Whose tool it is, where that can be told: the one that runs, or the only one with a call under way. */
  function findCause(): number | undefined {
    if (listeners.has(pulse.running)) return pulse.running;
    const working = [...listeners].filter(([, listener]) => listener.isWorking());
    return working.length === 1 ? working[0]![0] : undefined;
  }

  function onBlocked(): void {
    isBlocked = true;
    pulse.seal();
    const cause = findCause();
    const server = cause === undefined ? undefined : serverOf.get(cause);
    const moved = `its host thread is held up by ${server ?? 'one of its neighbours'}`;
    logger.error(
      { server, connections: listeners.size },
      'a tool holds up its host thread: its neighbours are moved to another',
    );
    for (const [connection, listener] of listeners) {
      const isCause = connection === cause;
      listener.onBlocked(isCause ? 'one of its tools holds up its host thread' : moved, isCause);
    }
    endWhenIdle();
  }

  /** A thread that was blocked once gets no new work, so it ends with the last call it has begun. */
  function endWhenIdle(): void {
    if (isBlocked && isAlive && listeners.size === 0) void terminate();
  }

  async function terminate(): Promise<void> {
    isAlive = false;
    isOwn = true;
    problem = 'the connection was closed';
    post({ kind: 'end' });
    const timer = setTimeout(() => void worker.terminate(), longestEndMs);
    await exited.promise;
    clearTimeout(timer);
  }

  /** Those with a call under way may have crashed it; one alone must have. */
  function blameOf(): (connection: number) => Blame {
    if (isOwn) return () => 'ours';
    const cause = findCause();
    if (cause !== undefined) return (connection) => (connection === cause ? 'own' : 'of another');
    const working = new Set([...listeners].filter(([, { isWorking }]) => isWorking()).map(([id]) => id));
    return (connection) => (working.size === 0 || working.has(connection) ? 'unknown' : 'of another');
  }

  const stopWatch = watchBlock(pulse, {
    onBlocked,
    onHopeless() {
      isAlive = false;
      problem = 'its host thread was busy without end and was stopped';
      logger.error({}, problem);
      void worker.terminate();
    },
    onFree: () => logger.warn({}, 'a host thread that was held up goes on'),
  });

  worker.on('message', (message: FromHost) => {
    try {
      onMessage(message);
    } catch (error) {
      logger.error({ err: error }, 'a listener failed');
    }
  });
  worker.on('error', (error) => {
    problem = `its host thread failed: ${messageOf(error)}`;
    logger.error({ err: error }, 'a host thread failed');
  });
  worker.on('exit', () => {
    isAlive = false;
    stopWatch();
    utilization.stop();
    exited.resolve();
    const blame = blameOf();
    const left = [...listeners].map(([connection, listener]) => ({ listener, blame: blame(connection) }));
    const culprit = [...serverOf].find(
      ([connection]) => listeners.has(connection) && blame(connection) === 'own',
    );
    if (culprit) logger.error({ server: culprit[1] }, 'a server crashed its host thread');
    listeners.clear();
    if (!isOwn && left.length > 0) options.onCrash();
    for (const one of left) one.listener.onExit(problem, one.blame);
  });
  // What a server prints belongs in the log, not on the output of the coordinator.
  worker.stdout.on('data', (chunk: Buffer) =>
    logger.debug({ text: chunk.toString('utf8') }, 'a host thread printed'),
  );
  worker.stderr.on('data', (chunk: Buffer) =>
    logger.debug({ text: chunk.toString('utf8') }, 'a host thread printed'),
  );

  return {
    get connections() {
      return listeners.size;
    },
    get utilization() {
      return utilization.value;
    },
    get isAlive() {
      return isAlive;
    },
    get isBlocked() {
      return isBlocked;
    },
    open(spec, listener) {
      const connection = ++lastConnection;
      listeners.set(connection, listener);
      serverOf.set(connection, spec.instance.id);
      post({ kind: 'open', connection, ...spec });
      return connection;
    },
    post(message) {
      if (message.kind === 'subscribe') isWatching = true;
      post(message);
    },
    call(message) {
      post(message);
      return (lastCall = (lastCall + 1) | 0);
    },
    hasBegun: (call) => pulse.hasBegun(call),
    memoryChanged(change) {
      if (isWatching && isAlive) post({ kind: 'memory-change', change });
    },
    close(connection) {
      if (!listeners.delete(connection)) return;
      serverOf.delete(connection);
      if (isAlive) post({ kind: 'close', connection });
      endWhenIdle();
    },
    terminate,
  };
}
