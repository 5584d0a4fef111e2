import { describe, expect, it } from 'vitest';
import { defaultHealth } from '../kernel/pool-options.ts';
import { builtInServers } from './built-in-servers.ts';
import { categories } from './categories.ts';
import { createPhasePlanner, phases, placesOf } from './phases.ts';

describe('phases', () => {
  it('are twenty of fifty, and together every port of every category once', () => {
    expect(phases.map(({ phase }) => phase)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(phases.map((phase) => placesOf(phase).length)).toEqual(Array.from({ length: 20 }, () => 50));
    const ports = phases.flatMap(placesOf).map(({ port }) => port);
    expect(new Set(ports).size).toBe(1000);
    expect([Math.min(...ports), Math.max(...ports)]).toEqual([3100, 4099]);
  });

  it('begin with ten of each of five categories, and come to the extended ports from phase 11 on', () => {
    const counts = Map.groupBy(placesOf(phases[0]!), ({ category }) => category);
    expect([...counts].map(([category, places]) => [category, places.length])).toEqual([
      ['database', 10],
      ['filesystem', 10],
      ['api', 10],
      ['version-control', 10],
      ['system', 10],
    ]);
    const early = phases.slice(0, 10).flatMap(placesOf);
    expect(early.every(({ port }) => port < 3600)).toBe(true);
    expect(new Set(early.map(({ category }) => category)).size).toBe(categories.length);
  });

  it('put a built-in on its own port and make the same instance again', () => {
    const planner = createPhasePlanner(builtInServers, {}, defaultHealth);
    const specs = phases.flatMap((phase) => planner.plan(phase));
    expect(specs).toHaveLength(1000);
    expect(new Set(specs.map(({ alias }) => alias)).size).toBe(1000);
    expect(specs.find(({ port }) => port === 3104)).toMatchObject({ id: 'sqlite-3104', source: 'deployed' });
    for (const { id, name, category, port } of specs.slice(0, 100))
      expect(planner.again({ id, name, category, port })).toEqual(specs.find((spec) => spec.id === id));
  });

  it('leave out a built-in that is switched off, for the core servers to take its places', () => {
    const planner = createPhasePlanner(builtInServers, { sqlite: { enabled: false } }, defaultHealth);
    const names = new Set(planner.plan(phases[0]!).map(({ name }) => name));
    expect(names).not.toContain('sqlite');
    expect(names).toContain('3d-sco-thinking');
    expect(planner.again({ id: 'sqlite-3104', name: 'sqlite', category: 'database', port: 3104 })).toBe(
      undefined,
    );
  });
});
