import { describe, expect, it } from 'vitest';
import { judge, type Measured, thresholdsShape } from './health.ts';

const calm: Measured = {
  cpu: { busyPercent: 10, userPercent: 5, systemPercent: 5, waitPercent: 0, stolenPercent: 0 },
  load: [0.1, 0.1, 0.1],
  cores: 4,
  memory: {
    totalBytes: 1000,
    availableBytes: 900,
    freeBytes: 900,
    usedBytes: 100,
    usedPercent: 10,
    cachedBytes: 0,
    swapTotalBytes: 0,
    swapUsedBytes: 0,
    swapUsedPercent: null,
  },
  limits: undefined,
  disks: [
    {
      mount: '/',
      device: 'd',
      type: '',
      totalBytes: 1,
      usedBytes: 0,
      availableBytes: 1,
      usedPercent: 10,
      inodesUsedPercent: null,
    },
  ],
  pressure: { cpu: 0, memory: 0, io: 0 },
  zombies: 0,
};
const thresholds = thresholdsShape.parse({});
const found = (change: Partial<Measured>) =>
  judge({ ...calm, ...change }, thresholds).map(
    ({ severity, metric, subject }) => `${severity} ${metric} ${subject}`,
  );

describe('judge', () => {
  it('finds nothing on a calm machine, nor where nothing is known', () => {
    expect(found({})).toEqual([]);
    expect(found({ load: null, pressure: undefined })).toEqual([]);
  });

  it('warns at the threshold and calls it critical half way to the worst', () => {
    const cpu = (busyPercent: number) => found({ cpu: { ...calm.cpu, busyPercent } });
    expect(cpu(84.9)).toEqual([]);
    expect(cpu(85)).toEqual(['warning cpuPercent all processors']);
    expect(cpu(92.5)).toEqual(['critical cpuPercent all processors']);
    expect(found({ load: [9, 6, 1] })).toEqual(['warning loadPerCore this machine']);
    expect(found({ load: [9, 12, 1] })).toEqual(['critical loadPerCore this machine']);
  });

  it('judges the container by its own limit, each disk by itself, critical ones first', () => {
    const limits = { cpuCores: null, memoryLimitBytes: 100, memoryUsedBytes: 90, processLimit: null };
    const disk = { ...calm.disks[0]!, mount: '/full', usedPercent: 99, inodesUsedPercent: 90 };
    expect(found({ limits, disks: [...calm.disks, disk] })).toEqual([
      'critical diskPercent /full',
      'warning memoryPercent this container',
      'warning inodePercent /full',
    ]);
    expect(found({ zombies: 20 })).toEqual(['warning zombies processes']);
  });
});
