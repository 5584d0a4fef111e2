/** What those are told who may not: who, what and where; which rule only for those who may see the policy. */

import type { PolicyQuery } from '../../kernel/authorizer.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { Decision } from './decide.ts';

/** FORBIDDEN, in words. */
export function refusalOf(
  { id, role }: Principal,
  { action, server, tool, place }: PolicyQuery,
  { rule, problem }: Decision,
  maySeePolicy: boolean,
): AppError {
  const on = [
    tool && ` on the tool ${tool.name}`,
    server && ` of the server ${server.id}`,
    place && ` in ${place.scope === undefined ? 'all scopes' : `the scope ${place.scope}`}`,
    place && place.prefix !== '' && (place.isExact ? ` at ${place.prefix}` : ` under ${place.prefix}`),
  ]
    .filter(Boolean)
    .join('');
  const why = problem ?? rule ?? 'nothing allows it';
  const told = maySeePolicy ? ` (${why})` : '';
  return new AppError('FORBIDDEN', {
    problem: `${id} with the role ${role} may not ${action}${on}${told}`,
    role,
    action,
    ...(maySeePolicy && { rule: why }),
  });
}
