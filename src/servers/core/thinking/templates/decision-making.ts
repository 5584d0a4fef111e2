import type { Template } from '../template.ts';

/** From a choice to be made to a decision that can be defended. */
export const decisionMaking: Template = {
  name: 'decision-making',
  title: 'Decision making',
  useFor: 'A choice between alternatives whose consequences matter.',
  decisionPhase: 'decide',
  phases: [
    {
      id: 'frame',
      title: 'Frame',
      purpose: 'Say what is decided, by whom, by when, and what it is not about.',
      questions: [
        'What is being decided, and what is not?',
        'Who decides, who is affected, by when?',
        'Can it be undone, and at what cost?',
      ],
      needs: [
        {
          kinds: ['question', 'fact', 'need'],
          atLeast: 1,
          ask: 'What exactly is being decided, by whom and by when?',
        },
        { kinds: ['constraint'], atLeast: 1, ask: 'Which limits must every option respect?' },
      ],
    },
    {
      id: 'criteria',
      title: 'Criteria',
      purpose: 'Agree on what counts, and how much, before looking at the options.',
      questions: [
        'What would make this a good decision in a year?',
        'Which criterion is a must, not a wish?',
      ],
      needs: [{ kinds: ['criterion'], atLeast: 2, ask: 'By which further criterion is an option judged?' }],
    },
    {
      id: 'options',
      title: 'Options',
      purpose: 'Find real alternatives, doing nothing among them.',
      questions: [
        'What else could we do?',
        'What if the favourite were impossible?',
        'What if we do nothing?',
      ],
      needs: [{ kinds: ['option'], atLeast: 2, ask: 'Which further option is there? Doing nothing is one.' }],
    },
    {
      id: 'evaluate',
      title: 'Evaluate',
      purpose: 'Judge each option by each criterion, with evidence, and look for what could go wrong.',
      questions: [
        'What speaks against the favourite?',
        'Imagine that it failed in a year: why?',
        'Which fact would change the ranking?',
      ],
      needs: [
        { kinds: ['fact', 'finding', 'result'], atLeast: 1, ask: 'Which facts tell the options apart?' },
        { kinds: ['risk'], atLeast: 1, ask: 'Imagine that the favourite failed in a year: why?' },
      ],
    },
    {
      id: 'decide',
      title: 'Decide',
      purpose: 'Choose, say why, and how sure.',
      questions: ['Which option, and why not the next best?', 'How sensitive is that to the weights?'],
      needs: [
        {
          kinds: ['decision'],
          atLeast: 1,
          ask: 'Which option do you take? Use thinking_decide to compare them.',
        },
      ],
    },
    {
      id: 'commit',
      title: 'Commit and review',
      purpose: 'Act on it, and fix the day on which it is looked at again.',
      questions: ['Who does what by when?', 'At which sign do we decide again?'],
      needs: [
        { kinds: ['action', 'task'], atLeast: 1, ask: 'What happens now, by whom and by when?' },
        {
          kinds: ['measure'],
          atLeast: 1,
          ask: 'At which sign, on which day, is the decision looked at again?',
        },
      ],
    },
  ],
  rules: [],
};
