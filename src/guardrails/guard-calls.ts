/** The guardrails as one guard of calls: arguments on the way in, results and errors on the way out. */

import type { CallGuard, GuardedCall } from '../kernel/call-guard.ts';
import { AppError } from '../kernel/errors.ts';
import type { GuardrailDirection } from '../kernel/guardrail-options.ts';
import { isJsonObject, type JsonObject, RpcError } from '../kernel/json-rpc.ts';
import type { OnFinding } from '../kernel/observations.ts';
import { guardrailsKey } from '../kernel/protocol.ts';
import { askUser } from './ask-user.ts';
import type { Guardrails } from './compile-guardrails.ts';
import { type Found, inspectValue } from './inspect-value.ts';

/** Members of `params` that are names, or none of ours: a state must come back as it went. */
const leftAlone: ReadonlySet<string> = new Set(['name', 'uri', 'ref', '_meta', 'requestState']);

interface Passed<T> {
  readonly value: T;
  /** What was taken out or confirmed, for the client to see. */
  readonly notes: readonly JsonObject[];
}

const none: readonly JsonObject[] = [];

export function createGuardrailGuard(guardrails: Guardrails, onFinding?: OnFinding): CallGuard {
  /** Lets a value pass, without what has to go. Throws GUARDRAIL_BLOCKED. */
  async function judge<T>(
    call: GuardedCall,
    direction: GuardrailDirection,
    value: T,
    found: readonly Found[],
  ): Promise<Passed<T>> {
    const { server, name, requestId } = call;
    const isAsked = found.some(({ watch }) => watch.action === 'ask');
    const isBlocked = found.some(({ watch }) => watch.action === 'block');
    const answer = isAsked && !isBlocked ? await askUser(call, direction, found) : undefined;
    const outcomes = found.map(({ watch: { action } }) => {
      if (action === 'allow') return 'allowed' as const;
      if (action === 'redact') return 'redacted' as const;
      return action === 'ask' && answer?.isAllowed === true ? ('confirmed' as const) : ('blocked' as const);
    });
    const notes: JsonObject[] = [];
    for (const [at, { watch, rule, field, count }] of found.entries()) {
      const finding = {
        guardrail: watch.guardrail.name,
        rule,
        direction,
        field,
        count,
        outcome: outcomes[at]!,
      };
      onFinding?.({ ...finding, server: server.id, name, requestId });
      if (finding.outcome !== 'allowed') notes.push(finding);
    }
    const stopping = found.find((_, at) => outcomes[at] === 'blocked');
    if (!stopping) return { value, notes };
    throw new AppError('GUARDRAIL_BLOCKED', {
      guardrail: stopping.watch.guardrail.name,
      rule: stopping.rule,
      field: stopping.field === '' ? direction : stopping.field,
      direction,
      why: stopping.watch.action === 'ask' && answer ? `; ${answer.why}` : '',
    });
  }

  // Neither of the two waits where nothing is found, which is nearly always.
  function checkParams(call: GuardedCall): Passed<GuardedCall> | Promise<Passed<GuardedCall>> {
    const watches = guardrails.watchesOf(call.server.id, call.name, 'arguments');
    let passed: GuardedCall = call;
    const found: Found[] = [];
    if (watches.length > 0) {
      for (const [member, value] of Object.entries(call.params)) {
        if (leftAlone.has(member)) continue;
        const inspection = inspectValue(value, watches, 'arguments', member);
        if (!inspection) continue;
        found.push(...inspection.found);
        if (inspection.value !== value) {
          passed = { ...passed, params: { ...passed.params, [member]: inspection.value } };
        }
      }
    }
    return found.length === 0 ? { value: passed, notes: none } : judge(call, 'arguments', passed, found);
  }

  function checkResult(
    call: GuardedCall,
    result: JsonObject,
  ): Passed<JsonObject> | Promise<Passed<JsonObject>> {
    const watches = guardrails.watchesOf(call.server.id, call.name, 'results');
    const inspection = watches.length === 0 ? undefined : inspectValue(result, watches, 'results');
    if (!inspection) return { value: result, notes: none };
    const seen = inspection.value as JsonObject;
    // A state of the server's own comes back to it as it was.
    const state = result['requestState'];
    const value = seen === result || state === undefined ? seen : { ...seen, requestState: state };
    return judge(call, 'results', value, inspection.found);
  }

  /** What a server answers as its error may hold secrets as well. */
  async function checkError(call: GuardedCall, error: unknown): Promise<unknown> {
    if (!(error instanceof RpcError)) return error;
    const { code, message, data } = error;
    const { value } = await checkResult(call, { message, ...(data !== undefined && { data }) });
    if (value['message'] === message && value['data'] === data) return error;
    return new RpcError({ code, message: String(value['message']), data: value['data'] });
  }

  return {
    name: 'guardrails',
    async run(call, next) {
      const checked = checkParams(call);
      const { value: passed, notes: before } = checked instanceof Promise ? await checked : checked;
      let result: JsonObject;
      try {
        result = await next(passed);
      } catch (error) {
        throw await checkError(call, error);
      }
      const seen = checkResult(call, result);
      const { value, notes: after } = seen instanceof Promise ? await seen : seen;
      if (before.length + after.length === 0) return value;
      const meta = isJsonObject(value['_meta']) ? value['_meta'] : {};
      return { ...value, _meta: { ...meta, [guardrailsKey]: [...before, ...after] } };
    },
  };
}
