import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brokenAnswers } from './broken-answers.ts';

describe('brokenAnswers', () => {
  it.each([
    ['cut at its end', '{"jsonrpc":"2.0","id":5,"result":{"con', [5]],
    ['cut at its beginning', 'xt":"a"}]},"jsonrpc":"2.0","id":6}', [6]],
    ['with spaces', '{"jsonrpc": "2.0", "id": 7, "result": {', [7]],
    ['run into the next one', '{"jsonrpc":"2.0","id":8,"res{"jsonrpc":"2.0","id":9,"result":{}}', [8, 9]],
    ['a line of a log', 'listening on 3000', []],
    ['cut before its id ends', '{"jsonrpc":"2.0","id":1', []],
  ])('finds the ids of an answer %s', (_, line, ids) => {
    expect(brokenAnswers(line)).toEqual(ids);
  });

  it('takes no id out of a text, whatever is in it', () => {
    const texts = fc.oneof(fc.string(), fc.constant('{"jsonrpc":"2.0","id":1,"result":{}}'));
    fc.assert(
      fc.property(texts, fc.nat(), (text, id) => {
        const line = JSON.stringify({ jsonrpc: '2.0', id, result: { text, more: 'x' } });
        expect(brokenAnswers(line.slice(0, -2))).toEqual([id]);
      }),
    );
  });
});
