import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serverSources } from '../contract/rest/server-routes.ts';
import { type Claimant, claimIds } from './claim-ids.ts';
import type { ServerSource } from './instance-spec.ts';
import { idOf } from './plan-entries.ts';

const one = (source: ServerSource, name: string, group?: string): Claimant => ({
  id: idOf(name),
  name,
  source,
  ...(group !== undefined && { group }),
});

const losers = (...claimants: Claimant[]) =>
  claimIds(claimants).conflicts.map(({ claimant }) => `${claimant.source} ${claimant.name}`);

describe('claimIds', () => {
  it('gives an id to the strongest, whatever the case of its name', () => {
    expect(losers(one('config', 'GitHub'), one('added', 'github'), one('folder', 'github'))).toEqual([
      'added github',
      'folder github',
    ]);
  });

  it('keeps found servers away from names whose tools or calls they would get', () => {
    const builtIn: Claimant = { id: 'sqlite-3104', name: 'sqlite', source: 'built-in' };
    expect(losers(builtIn, one('folder', 'sqlite'))).toEqual(['folder sqlite']);
    expect(losers(one('config', 'a__b'), one('client', 'a'))).toEqual(['client a']);
    expect(losers(one('config', 'a'), one('client', 'a__b'))).toEqual(['client a__b']);
    expect(losers(one('config', 'docs'), one('dns', 'docs-h-1', 'docs'))).toEqual(['dns docs-h-1']);
  });

  it('lets the targets of one SRV name share the name', () => {
    expect(losers(one('dns', 'docs-h-1', 'docs'), one('dns', 'docs-h-2', 'docs'))).toEqual([]);
  });

  it('never gives a claim of the config away, and each id once', () => {
    const claimant = fc.record({
      source: fc.constantFrom(...serverSources),
      name: fc.constantFrom('a', 'A', 'b', 'a__b', 'b__c', 'c', 'ä'),
    });
    fc.assert(
      fc.property(fc.array(claimant), (given) => {
        const claimants = given
          .map(({ source, name }) => one(source, name))
          .sort((a, b) => serverSources.indexOf(a.source) - serverSources.indexOf(b.source));
        const { winners, conflicts } = claimIds(claimants);
        expect(winners.size + conflicts.length).toBe(claimants.length);
        for (const { id } of claimants.filter(({ source }) => source === 'config'))
          expect(winners.get(id)?.source).toBe('config');
        for (const [id, winner] of winners) expect(winner.id).toBe(id);
      }),
    );
  });

  it('finds the losers that a comparison of each with each finds', () => {
    const sameGroup = (a: Claimant, b: Claimant) =>
      a.group !== undefined && a.group === b.group && a.source === b.source;
    /** The rule as it is written down, in quadratic time. */
    function plainLosers(claimants: readonly Claimant[]): Claimant[] {
      const kept: Claimant[] = [];
      const owners = new Map<string, Claimant>();
      return claimants.filter((claimant) => {
        const own = [claimant.id, idOf(claimant.group ?? claimant.name)];
        const isGuest = !['config', 'deployed', 'built-in', 'added'].includes(claimant.source);
        const loses =
          kept.some(({ id }) => id === claimant.id) ||
          (isGuest &&
            [...owners].some(
              ([name, other]) =>
                !sameGroup(other, claimant) &&
                own.some((o) => o === name || o.startsWith(`${name}__`) || name.startsWith(`${o}__`)),
            ));
        if (loses) return true;
        kept.push(claimant);
        for (const name of own) if (!owners.has(name)) owners.set(name, claimant);
        return false;
      });
    }
    const part = fc.constantFrom('a', 'b', '_');
    const claimant = fc.record({
      source: fc.constantFrom(...serverSources),
      name: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `x${parts.join('__')}`),
      group: fc.option(fc.constantFrom('x', 'xa', 'xa__b'), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(claimant, { maxLength: 12 }), (given) => {
        const claimants = given.map(({ source, name, group }) => one(source, name, group));
        expect(claimIds(claimants).conflicts.map(({ claimant: loser }) => loser)).toEqual(
          plainLosers(claimants),
        );
      }),
      { numRuns: 500 },
    );
  });
});
