import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConformanceReport, revisions, runConformance } from './run-conformance.ts';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';
import { type HttpFixture, startHttpFixture, stdioFixture } from './start-fixture.ts';

/** Everything the revision requires passed, without a warning. */
function conformant(report: ConformanceReport): object {
  return { exitCode: 0, complaints: [], passed: report.required };
}

describe('the fixture itself', () => {
  it.each(revisions)('passes %s over HTTP', async (revision) => {
    await using fixture = await startHttpFixture('both', { pageSize: 0 });
    const report = await runConformance(fixture.url, revision);
    expect(report).toMatchObject(conformant(report));
  });
});

describe('a single-server mount', () => {
  let fixture: HttpFixture;
  let coordinator: RunningCoordinator;

  beforeAll(async () => {
    fixture = await startHttpFixture('both');
    coordinator = await startCoordinator({
      mcpServers: {
        'fixture-stdio': stdioFixture('both'),
        'fixture-http': fixture.entry,
        'stdio-legacy': stdioFixture('legacy'),
        'stdio-modern': stdioFixture('modern'),
      },
    });
  });

  afterAll(async () => {
    await coordinator?.[Symbol.asyncDispose]();
    await fixture?.[Symbol.asyncDispose]();
  });

  const mounts = ['fixture-stdio', 'fixture-http', 'stdio-modern'];
  it.each(mounts.flatMap((id) => revisions.map((revision) => [id, revision] as const)))(
    '%s passes %s',
    async (id, revision) => {
      const report = await runConformance(coordinator.serverUrl(id), revision);
      expect(report).toMatchObject(conformant(report));
    },
  );

  it('stdio-legacy passes 2025-11-25', async () => {
    const report = await runConformance(coordinator.serverUrl('stdio-legacy'), '2025-11-25');
    expect(report).toMatchObject(conformant(report));
  });
});
