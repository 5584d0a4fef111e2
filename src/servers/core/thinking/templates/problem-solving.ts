import type { Template } from '../template.ts';

/** From a symptom to a verified fix that does not come back. */
export const problemSolving: Template = {
  name: 'problem-solving',
  title: 'Problem solving',
  useFor: 'Something is broken or worse than it should be, and the cause is not yet known.',
  decisionPhase: 'solve',
  phases: [
    {
      id: 'define',
      title: 'Define the problem',
      purpose: 'Say what is wrong so that anyone could tell whether it is solved.',
      questions: [
        'What happens, and what should happen instead?',
        'Since when, where, how often, and where does it not happen?',
        'Who is affected and what does it cost them?',
        'How will we know that it is solved?',
      ],
      needs: [
        {
          kinds: ['observation', 'fact'],
          atLeast: 1,
          ask: 'What exactly is observed, and what should happen instead?',
        },
        {
          kinds: ['measure', 'criterion'],
          atLeast: 1,
          ask: 'By what measure will we know that it is solved?',
        },
      ],
    },
    {
      id: 'analyse',
      title: 'Find the cause',
      purpose: 'Explain what is observed, and try to prove the explanation wrong.',
      questions: [
        'What changed before it began?',
        'Why does that happen? Ask again of the answer, up to five times.',
        'Which explanation would also explain where it does not happen?',
        'What test would show this explanation to be wrong?',
      ],
      needs: [
        { kinds: ['hypothesis'], atLeast: 1, ask: 'What could explain every observation?' },
        {
          kinds: ['test', 'result'],
          atLeast: 1,
          ask: 'What test would show the explanation to be wrong, and what came out?',
        },
        { kinds: ['cause'], atLeast: 1, ask: 'What is the root cause, given the results?' },
      ],
    },
    {
      id: 'solve',
      title: 'Choose a solution',
      purpose: 'Compare ways to remove the cause, not only the symptom.',
      questions: [
        'Which ways remove the cause, and which only the symptom?',
        'What does each cost, and what could it break?',
        'What if we do nothing?',
      ],
      needs: [
        { kinds: ['option'], atLeast: 2, ask: 'Which different ways would remove the cause?' },
        { kinds: ['decision'], atLeast: 1, ask: 'Which way do we take, and why?' },
      ],
    },
    {
      id: 'act',
      title: 'Act and verify',
      purpose: 'Do it, measure it, and keep it from coming back.',
      questions: [
        'Who does what by when?',
        'Does the measure of success show it solved?',
        'What would have caught this earlier?',
      ],
      needs: [
        { kinds: ['action', 'task'], atLeast: 1, ask: 'What is done, by whom and by when?' },
        { kinds: ['result'], atLeast: 1, ask: 'What does the measure of success show after the fix?' },
      ],
    },
  ],
  rules: [
    {
      rule: 'evidence',
      id: 'cause-without-evidence',
      of: 'cause',
      severity: 'blocking',
      problem: 'this cause is claimed without evidence',
      fix: 'give its evidence with thinking_revise_step: the test result, log line or measurement that shows it',
    },
  ],
};
