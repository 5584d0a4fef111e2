/** Writes docs/guides/scaling-day.svg from the simulated day: `node docs/draw-scaling.ts`. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { day, type ScalingDay, simulateDay, type Step } from '../test/fixtures/scaling-day.ts';

const width = 860;
const left = 52;
const right = width - 24;
const hours = 24;

interface Panel {
  readonly title: string;
  readonly top: number;
  readonly height: number;
  readonly most: number;
  /** Marks of the axis. */
  readonly marks: readonly number[];
}

const panels = {
  load: { title: 'calls under way or waiting, and what the replicas take', top: 44, height: 170, most: 64 },
  replicas: { title: 'replicas that run', top: 262, height: 90, most: day.max },
  wait: { title: 'longest wait for a place, seconds', top: 400, height: 70, most: 20 },
};
const load: Panel = { ...panels.load, marks: [0, 16, 32, 48, 64] };
const replicas: Panel = { ...panels.replicas, marks: [0, 4, 8, 12] };
const wait: Panel = { ...panels.wait, marks: [0, 10, 20] };
const height = wait.top + wait.height + 34;

const round = (value: number): number => Math.round(value * 10) / 10;
const x = (atMs: number): number => round(left + ((right - left) * atMs) / day.lengthMs);
const y = ({ top, height: tall, most }: Panel, value: number): number =>
  round(top + tall - (tall * Math.min(value, most)) / most);

/** A line that keeps its height for each step. */
function stairs(panel: Panel, steps: readonly Step[], valueOf: (step: Step) => number): string {
  const points = steps.map((step, n) => {
    const level = y(panel, valueOf(step));
    return `${n === 0 ? 'M' : 'L'}${x(step.atMs)},${level}H${x(step.atMs + day.stepMs)}`;
  });
  return points.join('');
}

function area(panel: Panel, steps: readonly Step[], valueOf: (step: Step) => number): string {
  const floor = y(panel, 0);
  return `${stairs(panel, steps, valueOf)}V${floor}H${left}Z`;
}

function frame(panel: Panel): string[] {
  const lines = panel.marks.flatMap((mark) => [
    `<line class="grid" x1="${left}" x2="${right}" y1="${y(panel, mark)}" y2="${y(panel, mark)}"/>`,
    `<text class="mark" x="${left - 8}" y="${y(panel, mark) + 4}" text-anchor="end">${mark}</text>`,
  ]);
  return [...lines, `<text class="title" x="${left}" y="${panel.top - 12}">${panel.title}</text>`];
}

function clockMarks(panel: Panel): string[] {
  const marks = Array.from({ length: hours / 3 + 1 }, (_, n) => n * 3);
  return marks.map(
    (hour) =>
      `<text class="mark" x="${x(hour * 3_600_000)}" y="${panel.top + panel.height + 18}" text-anchor="middle">${hour}:00</text>`,
  );
}

/** Colours for light and dark, on a ground of their own: the page around may be either. */
const style = `
  svg { color-scheme: light dark; }
  .ground { fill: #ffffff; }
  text { font: 12px system-ui, sans-serif; fill: #57606a; }
  .title { font-weight: 600; fill: #1f2328; }
  .grid { stroke: #d8dee4; }
  .load { fill: #54aeff; fill-opacity: 0.45; stroke: #0969da; }
  .room { fill: none; stroke: #bc4c00; stroke-width: 1.5; }
  .replicas { fill: #4ac26b; fill-opacity: 0.4; stroke: #1a7f37; }
  .wait { fill: #cf222e; }
  .load-text { fill: #0969da; }
  .room-text { fill: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; }
    text { fill: #9198a1; }
    .title { fill: #f0f6fc; }
    .grid { stroke: #3d444d; }
    .load { fill: #1f6feb; stroke: #58a6ff; }
    .room { stroke: #f0883e; }
    .replicas { fill: #238636; stroke: #3fb950; }
    .wait { fill: #ff7b72; }
    .load-text { fill: #58a6ff; }
    .room-text { fill: #f0883e; }
  }
`;

/** The picture of a day as SVG text. */
export function drawDay({ steps, arrived }: ScalingDay): string {
  const waits = steps.map(({ atMs, longestWaitMs }) => {
    const top = y(wait, longestWaitMs / 1000);
    const tall = round(wait.top + wait.height - top);
    return tall === 0
      ? ''
      : `<rect class="wait" x="${x(atMs)}" y="${top}" width="${round(x(day.stepMs) - left)}" height="${tall}"/>`;
  });
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A simulated day: load, replicas and waits">`,
    `<style>${style}</style>`,
    `<rect class="ground" width="${width}" height="${height}" rx="6"/>`,
    ...[load, replicas, wait].flatMap(frame),
    `<path class="load" d="${area(load, steps, (step) => step.load)}"/>`,
    `<path class="room" d="${stairs(load, steps, (step) => step.replicas * day.maxConcurrency)}"/>`,
    `<path class="replicas" d="${area(replicas, steps, (step) => step.replicas)}"/>`,
    ...waits.filter((rect) => rect !== ''),
    `<text class="load-text" x="${right}" y="${load.top - 12}" text-anchor="end">${arrived} calls</text>`,
    `<text class="room-text" x="${right - 90}" y="${load.top - 12}" text-anchor="end">places: ${day.maxConcurrency} a replica</text>`,
    ...clockMarks(wait),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) {
  const path = join(import.meta.dirname, 'guides', 'scaling-day.svg');
  await writeFile(path, drawDay(await simulateDay()));
}
