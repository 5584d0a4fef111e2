/** What a thinking template is: phases with guiding questions, what each phase must hold, and rules across them. */

export const stepKinds = [
  'observation',
  'fact',
  'question',
  'answer',
  'assumption',
  'hypothesis',
  'test',
  'result',
  'cause',
  'need',
  'insight',
  'idea',
  'option',
  'criterion',
  'requirement',
  'constraint',
  'design',
  'risk',
  'mitigation',
  'task',
  'source',
  'finding',
  'decision',
  'action',
  'measure',
  'lesson',
] as const;

export type StepKind = (typeof stepKinds)[number];

export const templateNames = [
  'problem-solving',
  'design-thinking',
  'software-development',
  'research',
  'decision-making',
] as const;

export type TemplateName = (typeof templateNames)[number];

export type Severity = 'blocking' | 'advice';

/** A phase is done when every need is met: at least so many steps of these kinds, in this phase. */
export interface Need {
  readonly kinds: readonly StepKind[];
  readonly atLeast: number;
  /** The question that leads to such a step. */
  readonly ask: string;
}

export interface Phase {
  readonly id: string;
  readonly title: string;
  readonly purpose: string;
  readonly questions: readonly string[];
  readonly needs: readonly Need[];
}

/** Every step of kind `of` must be taken up by a step of one of the kinds `by` that refers to it. */
export interface FollowUpRule {
  readonly rule: 'follow-up';
  readonly id: string;
  readonly of: StepKind;
  readonly by: readonly StepKind[];
  readonly severity: Severity;
  readonly problem: string;
  readonly fix: string;
}

/** As soon as there is a step of kind `when`, there must be at least so many of kind `needs`. */
export interface CompanionRule {
  readonly rule: 'companion';
  readonly id: string;
  readonly when: StepKind;
  readonly needs: StepKind;
  readonly atLeast: number;
  readonly severity: Severity;
  readonly problem: string;
  readonly fix: string;
}

/** Every step of kind `of` must name its evidence. */
export interface EvidenceRule {
  readonly rule: 'evidence';
  readonly id: string;
  readonly of: StepKind;
  readonly severity: Severity;
  readonly problem: string;
  readonly fix: string;
}

export type Rule = FollowUpRule | CompanionRule | EvidenceRule;

export interface Template {
  readonly name: TemplateName;
  readonly title: string;
  readonly useFor: string;
  /** Phase in which a decision matrix is filed when the caller names none. */
  readonly decisionPhase: string;
  readonly phases: readonly Phase[];
  readonly rules: readonly Rule[];
}

/** Rules that hold in every template. */
export const generalRules: readonly Rule[] = [
  {
    rule: 'companion',
    id: 'decision-without-criteria',
    when: 'decision',
    needs: 'criterion',
    atLeast: 1,
    severity: 'blocking',
    problem: 'there is a decision but no criterion to judge it by',
    fix: 'add the criteria as steps of kind "criterion", or decide with thinking_decide',
  },
  {
    rule: 'companion',
    id: 'decision-without-alternative',
    when: 'decision',
    needs: 'option',
    atLeast: 2,
    severity: 'blocking',
    problem: 'there is a decision but fewer than two options were considered',
    fix: 'add the alternatives as steps of kind "option" (doing nothing is one), or decide with thinking_decide',
  },
  {
    rule: 'follow-up',
    id: 'hypothesis-without-test',
    of: 'hypothesis',
    by: ['test', 'result', 'finding'],
    severity: 'blocking',
    problem: 'this hypothesis has no test',
    fix: 'add a step of kind "test" or "result" whose refs name it, or retract it with thinking_revise_step',
  },
  {
    rule: 'follow-up',
    id: 'question-without-answer',
    of: 'question',
    by: ['answer', 'finding', 'result', 'fact', 'decision'],
    severity: 'advice',
    problem: 'this question has no answer',
    fix: 'add a step of kind "answer", "fact" or "finding" whose refs name it, or carry it as an open question',
  },
  {
    rule: 'follow-up',
    id: 'assumption-unchecked',
    of: 'assumption',
    by: ['test', 'result', 'fact', 'finding', 'risk'],
    severity: 'advice',
    problem: 'this assumption was never checked',
    fix: 'add a step of kind "fact", "test" or "risk" whose refs name it',
  },
  {
    rule: 'follow-up',
    id: 'risk-without-mitigation',
    of: 'risk',
    by: ['mitigation', 'decision'],
    severity: 'advice',
    problem: 'this risk has no mitigation and nobody decided to accept it',
    fix: 'add a step of kind "mitigation" or "decision" whose refs name it',
  },
];
