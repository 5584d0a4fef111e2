import { randomInt } from 'node:crypto';

/** The module of one server: it is given what it needs, and imports nothing of the coordinator. */
export default ({ defineServer, defineTool, ToolError, z }) =>
  defineServer({
    name: 'dice',
    title: 'Dice',
    description: 'Rolls dice with the random numbers of the operating system.',
    version: '1.0.0',
    category: 'system',
    port: 3440,
    settings: z.strictObject({ maxDice: z.int().min(1).max(1000).default(20) }).prefault({}),
    tools: [
      defineTool({
        name: 'roll',
        title: 'Roll dice',
        description: 'Rolls so many dice with so many sides and answers each and the sum.',
        input: z.object({
          dice: z.int().min(1).default(1).describe('How many dice.'),
          sides: z.int().min(2).max(1000).default(6).describe('Sides of each.'),
        }),
        output: z.object({
          rolled: z.array(z.int()).describe('What each die shows.'),
          sum: z.int().describe('All together.'),
        }),
        annotations: { readOnlyHint: true, openWorldHint: false },
        async run({ dice, sides }, { settings }) {
          if (dice > settings.maxDice) throw new ToolError(`at most ${settings.maxDice} dice at a time`);
          const rolled = Array.from({ length: dice }, () => randomInt(1, sides + 1));
          return { rolled, sum: rolled.reduce((sum, one) => sum + one, 0) };
        },
      }),
    ],
  });
