import type { Template } from '../template.ts';

/** From what people need to a tested prototype. */
export const designThinking: Template = {
  name: 'design-thinking',
  title: 'Design thinking',
  useFor: 'Something new for people whose needs are not yet understood.',
  decisionPhase: 'ideate',
  phases: [
    {
      id: 'empathise',
      title: 'Empathise',
      purpose: 'Learn what people do, say and feel before judging what they need.',
      questions: [
        'Who are they, and in which situation do they meet the problem?',
        'What do they do today, step by step, and where does it hurt?',
        'What did they say in their own words?',
      ],
      needs: [
        {
          kinds: ['observation', 'fact', 'source'],
          atLeast: 2,
          ask: 'What did you see or hear from the people concerned?',
        },
      ],
    },
    {
      id: 'define',
      title: 'Define',
      purpose: 'Turn observations into needs and one question worth solving.',
      questions: [
        'Which need lies under what they ask for?',
        'What is surprising in the observations?',
        'How might we …? (one sentence, no solution in it)',
      ],
      needs: [
        { kinds: ['need', 'insight'], atLeast: 1, ask: 'Which need lies under the observations?' },
        { kinds: ['question'], atLeast: 1, ask: 'How might we meet that need? State it without a solution.' },
      ],
    },
    {
      id: 'ideate',
      title: 'Ideate',
      purpose: 'Many different ideas first, judgement after.',
      questions: [
        'What would the opposite look like?',
        'How do other fields solve this?',
        'Which ideas can be combined?',
        'By what do we choose what to build first?',
      ],
      needs: [
        { kinds: ['idea', 'option'], atLeast: 3, ask: 'Which further, really different idea is there?' },
        { kinds: ['decision'], atLeast: 1, ask: 'Which idea is tried first, and by which criteria?' },
      ],
    },
    {
      id: 'prototype',
      title: 'Prototype',
      purpose: 'Make the cheapest thing that can be wrong in a way we learn from.',
      questions: ['What must be true for the idea to work?', 'What is the cheapest thing that shows it?'],
      needs: [
        { kinds: ['hypothesis'], atLeast: 1, ask: 'What must be true for the idea to work?' },
        { kinds: ['design'], atLeast: 1, ask: 'What is the cheapest prototype that puts that to the test?' },
      ],
    },
    {
      id: 'test',
      title: 'Test',
      purpose: 'Put it before people and let them prove you wrong.',
      questions: ['What did people do with it?', 'What did we believe that was wrong?', 'What changes now?'],
      needs: [
        { kinds: ['test', 'result'], atLeast: 1, ask: 'What happened when people used the prototype?' },
        {
          kinds: ['lesson', 'insight'],
          atLeast: 1,
          ask: 'What was learned, and what changes because of it?',
        },
      ],
    },
  ],
  rules: [
    {
      rule: 'companion',
      id: 'idea-without-need',
      when: 'idea',
      needs: 'need',
      atLeast: 1,
      severity: 'advice',
      problem: 'there are ideas but no need was named that they would meet',
      fix: 'add a step of kind "need" in the phase define',
    },
  ],
};
