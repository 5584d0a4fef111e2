/** A thinking process as Markdown for people, or as a Mermaid graph of its steps and links. */

import { activeBranch, type Process, type Step, stepsOn } from './process.ts';
import { progressOf } from './progress.ts';
import type { StepKind } from './template.ts';
import { templates } from './templates.ts';

type Decision = Process['decisions'][number];

/** Keeps a text of several lines inside its list item. */
const indented = (text: string): string => text.replaceAll(/\r?\n/g, '\n  ');
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\r?\n/g, ' ');
const percentOf = (share: number): string => `${Math.round(share * 100)} %`;

function stepLines(step: Step): string[] {
  const confidence = step.confidence === undefined ? '' : `, ${percentOf(step.confidence)} sure`;
  const thought = step.retracted ? `~~${indented(step.thought)}~~ (retracted)` : indented(step.thought);
  const lines = [`- **${step.id}** (${step.kind}${confidence}): ${thought}`];
  for (const evidence of step.evidence) lines.push(`  - Evidence: ${indented(evidence)}`);
  if (step.refs.length > 0) lines.push(`  - Refers to: ${step.refs.join(', ')}`);
  if (step.contradicts.length > 0) lines.push(`  - Contradicts: ${step.contradicts.join(', ')}`);
  for (const revision of step.revisions)
    lines.push(`  - Revised ${revision.at}: ${indented(revision.reason)}`);
  return lines;
}

function decisionLines(decision: Decision): string[] {
  const names = decision.criteria.map((criterion) => `${cell(criterion.name)} (${criterion.weight})`);
  const rows = decision.ranking.map((row) => {
    const scores = decision.options.find((option) => option.name === row.option)?.scores ?? {};
    const cells = decision.criteria.map((criterion) => scores[criterion.name] ?? '');
    const note = row.excludedBy.length > 0 ? `out: ${row.excludedBy.map(cell).join(', ')}` : row.rank;
    return `| ${[cell(row.option), ...cells, row.total, note].join(' | ')} |`;
  });
  const flips = decision.sensitivity.slice(0, 3).map((flip) => {
    const change =
      flip.changePercent === null ? '' : ` (${flip.changePercent > 0 ? '+' : ''}${flip.changePercent} %)`;
    return `- "${indented(flip.winner)}" wins once "${indented(flip.criterion)}" weighs ${flip.flipsAt}${change} instead of ${flip.weight}.`;
  });
  return [
    `### ${decision.id}: ${cell(decision.title)}`,
    '',
    `| Option | ${names.join(' | ')} | Total | Rank |`,
    `|${' --- |'.repeat(names.length + 3)}`,
    ...rows,
    '',
    `Winner: ${decision.winner ?? 'none'}${decision.winner ? ` (${decision.robust ? 'robust' : 'sensitive'} to the weights)` : ''}.`,
    ...(flips.length > 0 ? ['', ...flips] : []),
    '',
  ];
}

function listLines(title: string, items: readonly string[]): string[] {
  return items.length > 0 ? [`**${title}**`, '', ...items.map((item) => `- ${indented(item)}`), ''] : [];
}

function conclusionLines(process: Process): string[] {
  const { conclusion } = process;
  if (!conclusion) return [];
  return [
    '## Conclusion',
    '',
    conclusion.answer,
    '',
    `Confidence: ${percentOf(conclusion.confidence)}. Concluded ${conclusion.at}.`,
    '',
    ...listLines('Next actions', conclusion.nextActions),
    ...listLines('Open questions', conclusion.openQuestions),
    ...listLines('Accepted gaps', conclusion.acceptedGaps),
  ];
}

/** Markdown of one branch (the active one by default): goal, conclusion, phases with steps, decisions, gaps, branches. */
export function toMarkdown(process: Process, branch = activeBranch(process)): string {
  const steps = stepsOn(process, branch);
  const progress = progressOf(process, branch);
  const lines = [
    `# ${cell(process.title)}`,
    '',
    `${templates[process.template].title}, ${process.status}, ${progress.percent} % done. Started ${process.startedAt}.`,
    '',
    `**Goal:** ${process.goal}`,
    '',
    ...conclusionLines(process),
  ];
  for (const phase of templates[process.template].phases) {
    const inPhase = steps.filter((step) => step.phase === phase.id);
    if (inPhase.length === 0) continue;
    lines.push(`## ${phase.title}`, '', ...inPhase.flatMap(stepLines), '');
  }
  const shown = new Set(steps.map((step) => step.decision));
  const decisions = process.decisions.filter((decision) => shown.has(decision.id));
  if (decisions.length > 0) lines.push('## Decisions', '', ...decisions.flatMap(decisionLines));
  if (process.branches.length > 1) {
    const rows = process.branches.map(
      (b) => `- **${b.name}** (${b.status}): ${indented(b.outcome ?? b.why)}`,
    );
    lines.push('## Branches', '', ...rows, '');
  }
  if (progress.gaps.length > 0) {
    const rows = progress.gaps.map(
      (gap) => `- ${gap.severity}: ${gap.step ? `${gap.step}: ` : ''}${gap.problem}`,
    );
    lines.push('## Gaps', '', ...rows, '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

const maxLabelCharacters = 80;
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Text for a quoted Mermaid label: its own marks become entity codes, so that no thought can break out. */
function label(text: string): string {
  const characters = Array.from(graphemes.segment(text.replaceAll(/\s+/g, ' ')), ({ segment }) => segment);
  const isLong = characters.length > maxLabelCharacters;
  const short = isLong ? `${characters.slice(0, maxLabelCharacters - 1).join('')}…` : characters.join('');
  return short.replaceAll(/[#"<>&`]/g, (mark) => `#${mark.codePointAt(0)};`);
}

function node(step: Step): string {
  const text = `${step.id} ${step.kind}: ${label(step.thought)}`;
  const shapes: Partial<Record<StepKind, [string, string]>> = {
    question: ['{{', '}}'],
    decision: ['{', '}'],
    hypothesis: ['([', '])'],
    result: ['[[', ']]'],
  };
  const [open, close] = shapes[step.kind] ?? ['[', ']'];
  return `${step.id}${open}"${text}"${close}${step.retracted ? ':::retracted' : ''}`;
}

/** A Mermaid flowchart of every branch: steps in order, refs dotted, contradictions crossed. */
export function toMermaid(process: Process): string {
  const lines = ['flowchart TD', '  classDef retracted stroke-dasharray: 4 4,opacity:0.5'];
  for (const [index, branch] of process.branches.entries()) {
    const steps = process.steps.filter((step) => step.branch === branch.name);
    lines.push(`  subgraph b${index}["${label(`${branch.name} (${branch.status})`)}"]`);
    lines.push(...steps.map((step) => `    ${node(step)}`), '  end');
    const chain = [
      ...(branch.fromStep === undefined ? [] : [branch.fromStep]),
      ...steps.map((step) => step.id),
    ];
    for (const [place, id] of chain.entries()) {
      const next = chain[place + 1];
      if (next !== undefined) lines.push(`  ${id} --> ${next}`);
    }
  }
  for (const step of process.steps) {
    for (const id of step.refs) lines.push(`  ${step.id} -.-> ${id}`);
    for (const id of step.contradicts) lines.push(`  ${step.id} x-.-x ${id}`);
  }
  return `${lines.join('\n')}\n`;
}
