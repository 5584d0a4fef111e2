import type { Template } from '../template.ts';

/** From a question to findings that hold against their sources. */
export const research: Template = {
  name: 'research',
  title: 'Research',
  useFor: 'A question to be answered from sources, data or experiments.',
  decisionPhase: 'method',
  phases: [
    {
      id: 'question',
      title: 'Question',
      purpose: 'Ask something that can be answered, and say what would count as an answer.',
      questions: [
        'What exactly is asked, and what is not?',
        'Who needs the answer and for what?',
        'What would count as an answer, and what would change your mind?',
      ],
      needs: [{ kinds: ['question'], atLeast: 1, ask: 'What exactly is the question?' }],
    },
    {
      id: 'background',
      title: 'Background',
      purpose: 'Know what is known, by whom, and where they disagree.',
      questions: [
        'Which primary sources are there, and how good is each?',
        'Where do they disagree, and why?',
        'What is missing?',
      ],
      needs: [{ kinds: ['source'], atLeast: 2, ask: 'Which independent sources speak to the question?' }],
    },
    {
      id: 'hypothesis',
      title: 'Hypothesis',
      purpose: 'Commit to an answer that can be wrong.',
      questions: ['Which answers are possible?', 'What would each predict that the others do not?'],
      needs: [
        {
          kinds: ['hypothesis'],
          atLeast: 1,
          ask: 'Which answer do you expect, such that it could be wrong?',
        },
      ],
    },
    {
      id: 'method',
      title: 'Method',
      purpose: 'Plan a test that could refute the hypothesis, before looking.',
      questions: [
        'What is measured or read, how much of it, and how is it chosen?',
        'Which other explanation must be ruled out?',
        'What would make you stop?',
      ],
      needs: [{ kinds: ['test', 'design'], atLeast: 1, ask: 'How is the hypothesis put to the test?' }],
    },
    {
      id: 'results',
      title: 'Results',
      purpose: 'Report what came out, above all what does not fit.',
      questions: ['What came out?', 'What does not fit?', 'How sure are we, and why?'],
      needs: [{ kinds: ['result', 'finding'], atLeast: 1, ask: 'What came out, with which evidence?' }],
    },
    {
      id: 'discussion',
      title: 'Discussion',
      purpose: 'Say what follows, what does not, and what is still open.',
      questions: [
        'What follows from it, and for whom?',
        'Where does it not hold?',
        'What should be asked next?',
      ],
      needs: [
        { kinds: ['insight', 'finding', 'lesson'], atLeast: 1, ask: 'What follows from the results?' },
        {
          kinds: ['constraint', 'assumption', 'risk'],
          atLeast: 1,
          ask: 'Where might it not hold: which limits does the work have?',
        },
      ],
    },
  ],
  rules: [
    {
      rule: 'evidence',
      id: 'finding-without-evidence',
      of: 'finding',
      severity: 'blocking',
      problem: 'this finding names no evidence',
      fix: 'give its evidence with thinking_revise_step: source, data or test',
    },
    {
      rule: 'evidence',
      id: 'source-without-reference',
      of: 'source',
      severity: 'advice',
      problem: 'this source has no reference that a reader could follow',
      fix: 'give a URL, DOI or page as evidence with thinking_revise_step',
    },
  ],
};
