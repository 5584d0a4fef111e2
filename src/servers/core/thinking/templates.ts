/** The five templates by name. */

import { generalRules, type Rule, type Template, type TemplateName } from './template.ts';
import { decisionMaking } from './templates/decision-making.ts';
import { designThinking } from './templates/design-thinking.ts';
import { problemSolving } from './templates/problem-solving.ts';
import { research } from './templates/research.ts';
import { softwareDevelopment } from './templates/software-development.ts';

export const templates: Readonly<Record<TemplateName, Template>> = {
  'problem-solving': problemSolving,
  'design-thinking': designThinking,
  'software-development': softwareDevelopment,
  research,
  'decision-making': decisionMaking,
};

/** Every rule that holds for a template: the general ones and its own. */
export function rulesOf(template: Template): readonly Rule[] {
  return [...generalRules, ...template.rules];
}
