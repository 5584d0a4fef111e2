/** A view with what one kind of caller may see of it; compiled once for all who see the same. */

import type { ServerName, Shown, ShownItem } from '../kernel/authorizer.ts';
import { AppError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';
import type { Group, Target, View } from './view.ts';

/** Kinds of callers for which a view is kept. */
const maxAudiences = 200;

/** A view is compiled anew when the pool has changed, and what was made of it goes with it. */
const shownViews = new WeakMap<View, Map<string, View>>();

/** The view itself for who sees everything. Throws NOT_FOUND for a server of which nothing may be seen. */
export function shownView(view: View, shown: Shown | undefined): View {
  if (!shown || view.audience === shown.audience) return view;
  let views = shownViews.get(view);
  if (!views) shownViews.set(view, (views = new Map<string, View>()));
  let known = views.get(shown.audience);
  if (!known) {
    known = compile(view, shown);
    if (views.size >= maxAudiences) views.clear();
    views.set(shown.audience, known);
  }
  return known;
}

function compile(view: View, shown: Shown): View {
  const shows = (group: Group, item: Omit<ShownItem, 'server'>) =>
    // Any of them may get the call.
    group.instances.every(({ spec }) => shown.shows({ ...item, server: nameOf(spec) }));
  const keep = (targets: ReadonlyMap<string, Target>, kind: 'tools' | 'prompts') =>
    new Map(
      [...targets].filter(([, { group, name, definition }]) => shows(group, { kind, name, definition })),
    );
  const tools = keep(view.tools, 'tools');
  const prompts = keep(view.prompts, 'prompts');
  const resolveUri: View['resolveUri'] = (uri) => {
    const resolved = view.resolveUri(uri);
    return resolved && shows(resolved.group, { kind: 'resources', name: resolved.uri })
      ? resolved
      : undefined;
  };
  // What search mode adds is no tool of a server.
  const listed =
    (all: ReadonlyMap<string, Target>, left: ReadonlyMap<string, Target>) => (item: JsonObject) =>
      left.has(String(item['name'])) || !all.has(String(item['name']));
  const resolves = (field: string) => (item: JsonObject) => resolveUri(String(item[field])) !== undefined;
  const lists = {
    tools: view.lists.tools.filter(listed(view.tools, tools)),
    prompts: view.lists.prompts.filter(listed(view.prompts, prompts)),
    resources: view.lists.resources.filter(resolves('uri')),
    resourceTemplates: view.lists.resourceTemplates.filter(resolves('uriTemplate')),
  };
  const [only] = view.groups;
  const isEmpty = Object.values(lists).every((items) => items.length === 0);
  if (view.isSingle && only && isEmpty && !hasAny(only, shows)) {
    throw new AppError('NOT_FOUND', { what: 'server', id: only.instances[0]?.spec.id ?? only.alias });
  }
  const groups = view.groups.filter((group) => hasAny(group, shows) || hasTarget(group, tools, prompts));
  return {
    ...view,
    groups,
    lists,
    tools,
    prompts,
    resolveUri,
    audience: shown.audience,
    ...(view.searched && { searched: shownView(view.searched, shown) }),
    // What one audience sees is not for others' caches.
    caching: Object.fromEntries(
      Object.entries(view.caching).map(([kind, hint]) => [kind, { ...hint, cacheScope: 'private' as const }]),
    ) as View['caching'],
    get fingerprint() {
      return view.fingerprint;
    },
  };
}

function nameOf({ id, category }: ServerName): ServerName {
  return { id, category };
}

function hasAny(group: Group, shows: (group: Group, item: Omit<ShownItem, 'server'>) => boolean): boolean {
  return (['tools', 'prompts', 'resources'] as const).some((kind) => shows(group, { kind, name: '' }));
}

function hasTarget(group: Group, ...targets: ReadonlyMap<string, Target>[]): boolean {
  return targets.some((map) => [...map.values()].some((target) => target.group === group));
}
