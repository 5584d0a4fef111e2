/** Leaves it to the client's user whether what was found may pass; the question names the rule, never the text. */

import type { GuardedCall } from '../kernel/call-guard.ts';
import { isAppError } from '../kernel/errors.ts';
import type { GuardrailDirection } from '../kernel/guardrail-options.ts';
import { isJsonObject } from '../kernel/json-rpc.ts';
import type { Found } from './inspect-value.ts';

export interface UserAnswer {
  readonly isAllowed: boolean;
  /** For the error. */
  readonly why: string;
}

/** Rejects only where the call was cancelled or its client went away. */
export async function askUser(
  call: GuardedCall,
  direction: GuardrailDirection,
  found: readonly Found[],
): Promise<UserAnswer> {
  if (!call.ask) return { isAllowed: false, why: 'the client cannot be asked' };
  const asked = found.filter(({ watch }) => watch.action === 'ask');
  const what = asked
    .map(({ watch, rule, field }) => `${watch.guardrail.name}/${rule} in ${field === '' ? direction : field}`)
    .join(', ');
  const way = direction === 'arguments' ? 'go to' : 'come from';
  const target = call.name === '' ? call.method : call.name;
  try {
    const answer = await call.ask('elicitation/create', {
      message: `The ${direction} that ${way} ${target} of ${call.server.id} hold: ${what}. Let them pass?`,
      requestedSchema: {
        type: 'object',
        properties: { pass: { type: 'boolean', title: 'Let them pass', default: false } },
        required: ['pass'],
      },
    });
    const isAllowed =
      answer['action'] === 'accept' && isJsonObject(answer['content']) && answer['content']['pass'] === true;
    return { isAllowed, why: isAllowed ? '' : 'the user did not let it pass' };
  } catch (error) {
    if (call.signal.aborted || isAppError(error, 'REQUEST_CANCELLED', 'CLIENT_GONE', 'SHUTTING_DOWN'))
      throw error;
    return { isAllowed: false, why: 'the client cannot be asked' };
  }
}
