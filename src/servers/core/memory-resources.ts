/** Each memory as a resource: `memory://<scope>/<key>`, read, completed and watched. */

import type { ResourceProvider, ToolContext } from '../../kernel/define-server.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { memoryUri, parseMemoryUri } from '../../kernel/memory/memory-uri.ts';
import { scopeShape } from '../../kernel/memory/operations.ts';

/** Memories that one page of a completion offers. */
const maxOffered = 101;

async function scopes(context: ToolContext): Promise<string[]> {
  const { scopes: known } = await context.memory('stats', {});
  return [...new Set(['shared', ...known.map(({ scope }) => scope)])];
}

export const memoryResources: ResourceProvider = {
  templates: [
    {
      uriTemplate: 'memory://{scope}/{+key}',
      name: 'memory',
      title: 'A memory',
      description:
        'The current value of one memory: text as Markdown, anything else as JSON. Subscribe to hear of changes.',
    },
  ],
  canonical(uri) {
    const place = parseMemoryUri(uri);
    return place && memoryUri(place.scope, place.key);
  },
  async read(uri, context: ToolContext) {
    const place = parseMemoryUri(uri);
    if (!place) throw new AppError('RESOURCE_NOT_FOUND', { uri });
    try {
      const { value } = await context.memory('retrieve', place);
      return typeof value === 'string'
        ? [{ uri, mimeType: 'text/markdown', text: value }]
        : [{ uri, mimeType: 'application/json', text: JSON.stringify(value, undefined, 2) }];
    } catch (error) {
      if (isAppError(error, 'MEMORY_NOT_FOUND', 'INVALID_INPUT'))
        throw new AppError('RESOURCE_NOT_FOUND', { uri });
      throw error;
    }
  },
  async complete(variable, value, given, context: ToolContext) {
    if (variable === 'scope') return (await scopes(context)).filter((scope) => scope.startsWith(value));
    if (variable !== 'key') return [];
    const scope = scopeShape.safeParse(given['scope']);
    const page = { prefix: value, limit: maxOffered, ...(scope.success && { scope: scope.data }) };
    const { items } = await context.memory('list', page);
    return items.map(({ key }) => key);
  },
  changedUri: ({ scope, key }) => memoryUri(scope, key),
};
