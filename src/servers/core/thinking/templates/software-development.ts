import type { Template } from '../template.ts';

/** From a requirement to released and watched software. */
export const softwareDevelopment: Template = {
  name: 'software-development',
  title: 'Software development',
  useFor: 'A feature, a change or a system to be designed, built and released.',
  decisionPhase: 'design',
  phases: [
    {
      id: 'requirements',
      title: 'Requirements',
      purpose: 'Agree on what it must do, for whom, and within which limits.',
      questions: [
        'Who needs what, and why now?',
        'What is out of scope?',
        'Which limits hold: time, load, security, compatibility?',
        'What does a test of acceptance look like?',
      ],
      needs: [
        { kinds: ['requirement', 'need'], atLeast: 1, ask: 'What must it do, and for whom?' },
        {
          kinds: ['constraint', 'assumption'],
          atLeast: 1,
          ask: 'Which limits hold: time, load, security, compatibility?',
        },
        { kinds: ['criterion', 'measure'], atLeast: 1, ask: 'How is it accepted: which test or number?' },
      ],
    },
    {
      id: 'design',
      title: 'Design',
      purpose: 'Choose the parts, their interfaces and the data, with reasons.',
      questions: [
        'Which designs are possible, and what does each make hard?',
        'What happens on failure, on concurrent use, at ten times the load?',
        'How is data migrated, and how is the change rolled back?',
        'Who could misuse it?',
      ],
      needs: [
        { kinds: ['option'], atLeast: 2, ask: 'Which designs are possible?' },
        { kinds: ['decision'], atLeast: 1, ask: 'Which design is taken, and why?' },
        { kinds: ['design'], atLeast: 1, ask: 'What are the parts, their interfaces and the data?' },
        { kinds: ['risk'], atLeast: 1, ask: 'What could go wrong: failure, load, misuse, data loss?' },
      ],
    },
    {
      id: 'build',
      title: 'Build',
      purpose: 'Small steps, each working and reviewable.',
      questions: ['What is the smallest part that works by itself?', 'In which order, and what blocks what?'],
      needs: [{ kinds: ['task', 'action'], atLeast: 1, ask: 'Which small steps build it, in which order?' }],
    },
    {
      id: 'verify',
      title: 'Verify',
      purpose: 'Show that every requirement holds, above all at the edges.',
      questions: [
        'Which test covers each requirement?',
        'What of empty, huge, concurrent, repeated, cancelled?',
        'What was measured against the limits?',
      ],
      needs: [
        { kinds: ['test'], atLeast: 1, ask: 'Which test shows that the requirement holds?' },
        { kinds: ['result'], atLeast: 1, ask: 'What came out of the tests?' },
      ],
    },
    {
      id: 'release',
      title: 'Release and watch',
      purpose: 'Bring it out so that a fault is seen soon and undone quickly.',
      questions: [
        'How is it rolled out, and how rolled back?',
        'Which number shows that it works?',
        'What did we learn?',
      ],
      needs: [
        { kinds: ['action'], atLeast: 1, ask: 'How is it rolled out, and how rolled back?' },
        { kinds: ['measure'], atLeast: 1, ask: 'Which number, watched by whom, shows that it works?' },
      ],
    },
  ],
  rules: [
    {
      rule: 'follow-up',
      id: 'requirement-without-test',
      of: 'requirement',
      by: ['test', 'result'],
      severity: 'blocking',
      problem: 'no test covers this requirement',
      fix: 'add a step of kind "test" whose refs name it',
    },
  ],
};
