/** The JSONL file of @modelcontextprotocol/server-memory: a line an entity, a line a relation. */

import { z } from 'zod';
import { graphKey } from '../../../kernel/memory/graph-key.ts';
import { parseLine } from './json-lines.ts';
import { badInput, type MemoryEntry } from './memory-entry.ts';

const lineShape = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('entity'),
    name: z.string(),
    entityType: z.string(),
    observations: z.array(z.string()),
  }),
  z.object({
    type: z.literal('relation'),
    from: z.string(),
    to: z.string(),
    relationType: z.string(),
  }),
]);

/** What an entity's memory holds; one that others only point from has no type of its own. */
const entityShape = z.object({
  name: z.string(),
  entityType: z.string().optional(),
  observations: z.array(z.string()).optional(),
  relations: z.array(z.object({ to: z.string(), relationType: z.string() })),
});
type Entity = z.infer<typeof entityShape>;

/** Where entities live unless a prefix says otherwise. */
export const graphPrefix = 'graph/entities/';

/** Gathers the lines of a graph file, whose relations may stand anywhere. */
export interface GraphReader {
  /** Throws INVALID_INPUT naming the place. */
  add(line: string, place: string): void;
  /** A memory for each entity, in the order they came. */
  entries(prefix: string): MemoryEntry[];
}

/** A reader of one graph file. Lines that say the same entity or relation again are taken together. */
export function createGraphReader(): GraphReader {
  const entities = new Map<string, Entity>();
  const known = new Set<string>();
  function entityOf(name: string) {
    let entity = entities.get(name);
    if (!entity) entities.set(name, (entity = { name, relations: [] }));
    return entity;
  }

  return {
    add(line, place) {
      const result = lineShape.safeParse(parseLine(line, place));
      if (!result.success) {
        const [issue] = result.error.issues;
        throw badInput(
          place,
          `is no entity or relation: ${issue?.path.join('.') || 'line'}: ${issue?.message}`,
        );
      }
      const { data } = result;
      if (data.type === 'entity') {
        const entity = entityOf(data.name);
        entity.entityType ??= data.entityType;
        entity.observations = [...new Set([...(entity.observations ?? []), ...data.observations])];
        return;
      }
      const { from, to, relationType } = data;
      const id = JSON.stringify([from, to, relationType]);
      if (!known.has(id)) entityOf(from).relations.push({ to, relationType });
      known.add(id);
    },
    entries(prefix) {
      return [...entities.values()].map((value) => ({
        key: prefix + graphKey(value.name),
        tags: [],
        value,
      }));
    },
  };
}

/** The lines of one entity's memory, without line ends, or undefined for a value that is none. */
export function encodeEntity(value: unknown): { entity?: string; relations: string[] } | undefined {
  const result = entityShape.safeParse(value);
  if (!result.success) return undefined;
  const { name, entityType, observations = [], relations } = result.data;
  return {
    ...(entityType !== undefined && {
      entity: JSON.stringify({ type: 'entity', name, entityType, observations }),
    }),
    relations: relations.map(({ to, relationType }) =>
      JSON.stringify({ type: 'relation', from: name, to, relationType }),
    ),
  };
}
