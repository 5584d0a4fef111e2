/** Structured reasoning with five templates; processes live in the Git memory and outlast every session. */

import { defineServer } from '../../kernel/define-server.ts';
import { branchTools } from './thinking/branch-tools.ts';
import { concludeTools } from './thinking/conclude-tools.ts';
import { settingsShape } from './thinking/process-store.ts';
import { readTools } from './thinking/read-tools.ts';
import { startTools } from './thinking/start-tools.ts';
import { stepTools } from './thinking/step-tools.ts';

export default defineServer({
  name: '3d-sco-thinking',
  title: '3D-SCO Thinking',
  description:
    'Structured reasoning: problem solving, design thinking, software development, research and decision making, with steps, branches, completeness rules and decision matrices kept in the Git memory.',
  version: '1.0.0',
  category: 'core',
  port: 4102,
  instructions:
    'For work that needs more than one thought: thinking_start with a template, then thinking_add_step again and again, answering the nextQuestion it returns and linking steps with refs. thinking_branch follows another explanation or option; thinking_decide compares options. thinking_progress shows what is missing. End with thinking_conclude, hand on with thinking_export. Processes outlast the session: look in thinking_list before starting a new one.',
  settings: settingsShape,
  tools: [...startTools, ...stepTools, ...branchTools, ...concludeTools, ...readTools],
  probe: { tool: 'thinking_templates', arguments: {} },
});
