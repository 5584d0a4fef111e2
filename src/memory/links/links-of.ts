/** Which memories a memory points to: links in text, URIs in JSON, relations of a knowledge graph. */

import { graphKey } from '../../kernel/memory/graph-key.ts';
import { parseMemoryUri } from '../../kernel/memory/memory-uri.ts';
import { scopeShape } from '../../kernel/memory/shapes.ts';
import { type WrittenLink, parseTextLinks } from './parse-text-links.ts';

/** How a link was made. */
export type LinkKind = 'wikilink' | 'markdown' | 'uri' | 'relation';

/** A link to a memory, which need not be there. */
export interface Link {
  readonly scope: string;
  /** In NFC; of a wikilink it may be the end of a key. */
  readonly key: string;
  readonly kind: LinkKind;
  /** The words of a link, the type of a relation, the JSON Pointer of a URI; empty when there are none. */
  readonly label: string;
}

interface From {
  readonly scope: string;
  readonly key: string;
}

/** Links that are kept of one memory; what it has more is not followed. */
const maxLinks = 1000;
const maxLabelLength = 200;

/** The links of a value that is kept at `from`, each once. Never throws; linear in the value's size. */
export function linksOf(from: From, value: unknown): Link[] {
  const found = typeof value === 'string' ? linksOfText(from, value) : linksOfJson(from, value);
  const links = new Map<string, Link>();
  for (const link of found) {
    if (link.key === '' || link.key.length > 1024) continue;
    const label = link.label.slice(0, maxLabelLength).toWellFormed();
    links.set(JSON.stringify([link.scope, link.key, link.kind, label]), { ...link, label });
    if (links.size >= maxLinks) break;
  }
  return [...links.values()];
}

function linksOfText(from: From, text: string): Link[] {
  return parseTextLinks(text, maxLinks).flatMap((written) => {
    const place = written.kind === 'wikilink' ? placeOfWikilink(from, written) : placeOfTarget(from, written);
    return place ? [{ ...place, kind: written.kind, label: written.label ?? '' }] : [];
  });
}

/** `[[key]]`, `[[key#heading]]`, `[[category:database/key]]`, `[[memory://…]]`. */
function placeOfWikilink(from: From, { target }: WrittenLink): From | undefined {
  const text = target.trim();
  if (/^memory:\/\//i.test(text)) return parseMemoryUri(text);
  const name = withoutEnding(text.split(/[#^]/)[0]?.trim() ?? '')
    .replace(/^\/+/, '')
    .normalize('NFC');
  const slash = name.indexOf('/');
  const scope = scopeShape.safeParse(name.slice(0, Math.max(0, slash)));
  return scope.success ? { scope: scope.data, key: name.slice(slash + 1) } : { scope: from.scope, key: name };
}

/** A `memory://` URI, or the path of a Markdown or JSON file as seen from this one's folder. */
function placeOfTarget(from: From, { target }: WrittenLink): From | undefined {
  if (/^memory:\/\//i.test(target)) return parseMemoryUri(target.split('#')[0] ?? '');
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) return undefined;
  let path: string;
  try {
    path = decodeURIComponent(target.split(/[?#]/)[0] ?? '').normalize('NFC');
  } catch {
    return undefined;
  }
  if (!/\.(?:md|json)$/i.test(path)) return undefined;
  const segments = path.startsWith('/') ? [] : from.key.split('/').slice(0, -1);
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    // Above the top there is no memory.
    else if (segments.pop() === undefined) return undefined;
  }
  return { scope: from.scope, key: withoutEnding(segments.join('/')) };
}

function withoutEnding(path: string): string {
  return path.replace(/\.(?:md|json)$/i, '');
}

function linksOfJson(from: From, value: unknown): Link[] {
  const links: Link[] = relationsOf(from, value);
  const waiting: { part: unknown; pointer: string }[] = [{ part: value, pointer: '' }];
  while (links.length < maxLinks * 2) {
    const next = waiting.pop();
    if (!next) break;
    const { part, pointer } = next;
    if (typeof part === 'string') {
      const place = /^memory:\/\//i.test(part) && part.length <= 8192 ? parseMemoryUri(part) : undefined;
      if (place) links.push({ ...place, kind: 'uri', label: pointer });
    } else if (typeof part === 'object' && part !== null) {
      for (const [name, field] of Object.entries(part)) {
        if (typeof field !== 'string' && (typeof field !== 'object' || field === null)) continue;
        // Labels are cut anyway: long pointers need not grow on.
        const at = pointer.length > maxLabelLength ? pointer : `${pointer}/${escapeToken(name)}`;
        waiting.push({ part: field, pointer: at });
      }
    }
  }
  return links;
}

function escapeToken(name: string): string {
  return name.slice(0, maxLabelLength).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** `{name, relations: [{to, relationType}]}`, as the import of a knowledge graph keeps entities beside each other. */
function relationsOf(from: From, value: unknown): Link[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const { name, relations } = value as { readonly name?: unknown; readonly relations?: unknown };
  if (typeof name !== 'string' || !Array.isArray(relations)) return [];
  const own = graphKey(name);
  const prefix = from.key.endsWith(own)
    ? from.key.slice(0, from.key.length - own.length)
    : from.key.slice(0, from.key.lastIndexOf('/') + 1);
  return relations.slice(0, maxLinks).flatMap((relation: unknown): Link[] => {
    if (typeof relation !== 'object' || relation === null) return [];
    const { to, relationType } = relation as { readonly to?: unknown; readonly relationType?: unknown };
    if (typeof to !== 'string' || typeof relationType !== 'string') return [];
    return [{ scope: from.scope, key: prefix + graphKey(to), kind: 'relation', label: relationType }];
  });
}
