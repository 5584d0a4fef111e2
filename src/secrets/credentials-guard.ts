/** Asks a user for what a server wants of them before the first call goes there: by URL elicitation, or by an error that says what to do. */

import { randomUUID } from 'node:crypto';
import type { CallGuard, GuardedCall, Proceed } from '../kernel/call-guard.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import type { SignIns } from './oauth/sign-in.ts';
import { type Need, ownerFor, type ServerAuth, type UpstreamCredentials } from './upstream-credentials.ts';

export interface CredentialsGuardOptions {
  readonly credentials: Pick<UpstreamCredentials, 'need'>;
  readonly signIns: Pick<SignIns, 'begin'>;
  /** Undefined for servers that want nothing. */
  readonly serverOf: (id: string) => ServerAuth | undefined;
  readonly clock: Clock;
}

/** Key of our question among those of a call (2026-07-28). */
const inputKey = 'git-memory-mcp/sign-in';
/** A user who was asked gets so long, milliseconds; then the call ends and can be made again. */
const waitMs = 120_000;

export function createCredentialsGuard(options: CredentialsGuardOptions): CallGuard {
  const { credentials, signIns, serverOf, clock } = options;
  /** Tries under way, by server and owner: a call that is made again waits for the one that it asked for. */
  const running = new Map<string, ReturnType<SignIns['begin']>>();

  function tryOf(server: ServerAuth, { principal }: GuardedCall): ReturnType<SignIns['begin']> {
    const owner = ownerFor(server.auth, principal);
    const key = JSON.stringify([server.id, owner]);
    const known = running.get(key);
    if (known) return known;
    const begun = signIns.begin(server, owner, principal.id);
    running.set(key, begun);
    const forget = () => void (running.get(key) === begun && running.delete(key));
    begun.done.then(forget, forget);
    return begun;
  }

  /** True when the user has signed in before the time is over or the call is cancelled. */
  function isDone(done: Promise<void>, { signal }: GuardedCall): Promise<boolean> {
    const end = Promise.withResolvers<boolean>();
    const cancel = clock.after(waitMs, () => end.resolve(false));
    const onAbort = () => end.reject(new AppError('REQUEST_CANCELLED'));
    signal.addEventListener('abort', onAbort);
    done.then(() => end.resolve(true), end.reject);
    return end.promise.finally(() => {
      cancel();
      signal.removeEventListener('abort', onAbort);
    });
  }

  async function askAndGo(
    server: ServerAuth,
    call: GuardedCall,
    next: Proceed,
    need: Need,
  ): Promise<JsonObject> {
    if (need.kind === 'secret') {
      const who = server.auth.whose === 'per-user' ? ` --user ${call.principal.id}` : '';
      const problem = `the secret ${need.secret} is not there; set it with: git-memory-mcp secrets set ${need.secret}${who}`;
      throw new AppError('CREDENTIALS_NEEDED', { server: server.id, problem });
    }
    const { url, done } = tryOf(server, call);
    const message = `${server.id} needs your leave to be used in your name`;
    const question = { mode: 'url', message, url };
    const given = answerIn(call);
    const elicitation = call.capabilities?.['elicitation'];
    const takesUrls = isJsonObject(elicitation) && isJsonObject(elicitation['url']);
    let action = given;
    if (given === undefined && takesUrls) {
      if (call.era === 'modern')
        return {
          resultType: 'input_required',
          inputRequests: { [inputKey]: { method: 'elicitation/create', params: question } },
        };
      const ours = { ...question, elicitationId: randomUUID() };
      action = (await call.ask?.('elicitation/create', ours))?.['action'];
    }
    if (action === 'accept' && (await isDone(done, call))) return await next(withoutAnswer(call));
    if (action === 'decline' || action === 'cancel')
      throw new AppError('CREDENTIALS_NEEDED', { server: server.id, problem: 'the user did not give leave' });
    // Clients of 2025-11-25 open it by themselves; others show the message.
    const elicitations = [{ ...question, elicitationId: randomUUID() }];
    throw new AppError('URL_ELICITATION_REQUIRED', { server: server.id, url, elicitations });
  }

  async function lookAndGo(
    server: ServerAuth,
    call: GuardedCall,
    next: Proceed,
    needed: Promise<Need | undefined>,
  ): Promise<JsonObject> {
    const need = await needed;
    return need ? await askAndGo(server, call, next, need) : await next(withoutAnswer(call));
  }

  return {
    name: 'credentials',
    run(call, next) {
      const server = serverOf(call.server.id);
      const needed = server && credentials.need(server, ownerFor(server.auth, call.principal));
      return needed ? lookAndGo(server, call, next, needed) : next(withoutAnswer(call));
    },
  };
}

/** What the user did with our question, where this call brings the answer. */
function answerIn({ params }: GuardedCall): unknown {
  const responses = params['inputResponses'];
  const answer = isJsonObject(responses) ? responses[inputKey] : undefined;
  return isJsonObject(answer) ? answer['action'] : undefined;
}

/** The server has not asked, so it does not get the answer. */
function withoutAnswer(call: GuardedCall): GuardedCall {
  const responses = call.params['inputResponses'];
  if (!isJsonObject(responses) || responses[inputKey] === undefined) return call;
  const { [inputKey]: _, ...others } = responses;
  const { inputResponses: __, ...params } = call.params;
  const isOnlyOurs = Object.keys(others).length === 0;
  return { ...call, params: isOnlyOurs ? params : { ...params, inputResponses: others } };
}
