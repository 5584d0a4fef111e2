/** A walk along links, nearest first, that reads no more memories than it returns. */

import type { MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import type { FileCodec } from '../encryption/file-codec.ts';
import type { Entry } from '../index/entry.ts';
import type { IndexReader } from '../index/index-reader.ts';
import type { Place } from '../operations/place.ts';
import { memoryId } from '../write-record.ts';
import { describeValue, estimateTokens } from './describe-value.ts';
import { type Link, linksOf } from './links-of.ts';

type Output = MemoryOutput<'links'>;
type Via = Output['nodes'][number]['via'];

/** A link from a memory that the walk is at, to one that it may go to. */
interface Step {
  readonly link: Link;
  readonly from: Place;
  readonly direction: 'out' | 'in';
}

const defaultTokens = 2000;
/** Rows of one memory that a walk looks at; of more, the rest counts as one omitted. */
const maxRows = 1000;
const maxCandidates = 50;

/** Where a wikilink that names no whole key leads: the linking memory's own folder first, then the shortest key. */
function resolveEnd(index: IndexReader, link: Link, from: Place): Place | undefined {
  const keys = index.links.endingIn(link.scope, link.key, maxCandidates);
  const folder = from.key.slice(0, from.key.lastIndexOf('/') + 1);
  const near = keys.find((key) => key.slice(0, key.lastIndexOf('/') + 1) === folder);
  const key = near ?? keys[0];
  return key === undefined ? undefined : { scope: link.scope, key };
}

/** What is linked with `start`; undefined when there is neither a memory nor a link to it. */
export function walkLinks(
  { index, codec }: { readonly index: IndexReader; readonly codec: FileCodec },
  start: Place,
  input: Pick<MemoryInput<'links'>, 'direction' | 'depth' | 'maxTokens'> & { readonly nowMs: number },
): Output | undefined {
  const { direction = 'both', depth = 1, maxTokens = defaultTokens, nowMs } = input;
  const seen = new Set([memoryId(start.scope, start.key)]);
  const nodes: Output['nodes'] = [];
  const missing: Output['missing'] = [];
  let omitted = 0;
  let tokens = 0;
  let isFull = false;

  function read(place: Place): Entry | undefined {
    const entry = index.get(place.scope, place.key);
    return entry && (entry.expiresMs === null || entry.expiresMs > nowMs) ? entry : undefined;
  }

  /** True when the row was taken. */
  function fits(row: object): boolean {
    const cost = estimateTokens(JSON.stringify(row));
    if (tokens + cost > maxTokens) {
      isFull = true;
      omitted += 1;
      return false;
    }
    tokens += cost;
    return true;
  }

  /** Links of a sealed memory are in its content alone. */
  function linksFrom(place: Place): readonly Link[] {
    const entry = index.get(place.scope, place.key);
    const { file, kid } = entry ? codec.inspect(entry.scope, entry.path, entry.content) : {};
    return kid === undefined ? index.links.from(place, maxRows) : file ? linksOf(place, file.value) : [];
  }

  function stepsFrom(place: Place): Step[] {
    const steps: Step[] = [];
    if (direction !== 'in')
      steps.push(...linksFrom(place).map((link) => ({ link, from: place, direction: 'out' as const })));
    if (direction !== 'out') {
      const rows = index.links.to(place, maxRows + 1);
      if (rows.length > maxRows) omitted += 1;
      for (const { from, ...link } of rows.slice(0, maxRows)) {
        if (link.key !== place.key && !isMeant(link, from, place)) continue;
        steps.push({ link, from, direction: 'in' });
      }
    }
    return steps;
  }

  /** True when a wikilink of another spelling leads to the place. */
  function isMeant(link: Link, from: Place, place: Place): boolean {
    const suffix = `/${place.key.toLowerCase()}`.endsWith(`/${link.key.toLowerCase()}`);
    if (!suffix || index.links.has(link)) return false;
    return resolveEnd(index, link, from)?.key === place.key;
  }

  /** The memory that a step leads to, read; its place alone when it is not there. */
  function targetOf({ link, from, direction: way }: Step): { place: Place; entry: Entry | undefined } {
    const named = way === 'in' ? from : { scope: link.scope, key: link.key };
    const entry = read(named);
    if (entry || way === 'in' || link.kind !== 'wikilink') return { place: named, entry };
    const place = resolveEnd(index, link, from);
    return place ? { place, entry: read(place) } : { place: named, entry: undefined };
  }

  /** Takes one step; the place when it is new and there. */
  function take(step: Step, at: Place, away: number): Place | undefined {
    const { link, direction: way } = step;
    const { place, entry } = targetOf(step);
    const id = memoryId(place.scope, place.key);
    if (seen.has(id)) return undefined;
    seen.add(id);
    const about = { kind: link.kind, ...(link.label !== '' && { label: link.label }) };
    if (!entry) {
      const row = { ...place, from: at, ...about };
      if (way === 'out' && fits(row)) missing.push(row);
      return undefined;
    }
    const { file } = codec.inspect(place.scope, entry.path, entry.content);
    const via: Via = { from: at, direction: way, ...about };
    const node = {
      ...place,
      ...(file ? describeValue(place.key, file.value) : { title: place.key, snippet: '' }),
      depth: away,
      via,
    };
    if (!fits(node)) return undefined;
    nodes.push(node);
    return place;
  }

  /** Counts what is not read: by the name in the link, as only reading could tell more. */
  function leaveOut({ link, from, direction: way }: Step): void {
    const named = way === 'in' ? from : link;
    const id = memoryId(named.scope, named.key);
    if (!seen.has(id)) omitted += 1;
    seen.add(id);
  }

  /** Follows all links of one memory; what is new and there, the walk goes on from. */
  function expand(at: Place, away: number): Place[] {
    if (isFull) return [];
    return stepsFrom(at).flatMap((step) => {
      if (!isFull) return take(step, at, away) ?? [];
      leaveOut(step);
      return [];
    });
  }

  let frontier: Place[] = [start];
  for (let away = 1; away <= depth && frontier.length > 0; away++)
    frontier = frontier.flatMap((at) => expand(at, away));

  const exists = read(start) !== undefined;
  const isLinked = nodes.length + missing.length + omitted > 0;
  return exists || isLinked ? { ...start, exists, nodes, missing, omitted, tokens } : undefined;
}
