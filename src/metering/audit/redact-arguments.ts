/** Arguments as the audit log may keep them: without what looks like a secret, and of bounded size. */

import { isJsonObject } from '../../kernel/json-rpc.ts';

const secretName =
  /pass(?:word|phrase|wd)?$|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|authorization|credential|cookie|^pin$|^otp$/i;
/** Keys of ours and of others, tokens, private keys, passwords in URLs. */
const secretText =
  /\bgmm_[0-9a-f]{12}_|\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]+\.[\w-]+\.|-----BEGIN [A-Z ]*PRIVATE KEY|\bBearer\s+\S{8,}|:\/\/[^\s/:@]+:[^\s/@]+@/i;
const hidden = '[redacted]';
const maxStringLength = 200;
const maxDepth = 6;
const maxItems = 50;

/** Never longer than a few hundred kilobytes, however long the value is. */
export function redactArguments(value: unknown): unknown {
  let left = 500;
  function walk(part: unknown, depth: number): unknown {
    left -= 1;
    if (left < 0) return '[…]';
    if (typeof part === 'string') {
      if (secretText.test(part)) return hidden;
      return part.length > maxStringLength
        ? `${part.slice(0, maxStringLength).toWellFormed()}… (${part.length} characters)`
        : part;
    }
    if (typeof part !== 'object' || part === null) return part;
    if (depth >= maxDepth) return '[…]';
    if (Array.isArray(part)) return part.slice(0, maxItems).map((item) => walk(item, depth + 1));
    if (!isJsonObject(part)) return hidden;
    const fields = Object.entries(part).slice(0, maxItems);
    return Object.fromEntries(
      fields.map(([name, inner]) => [
        name.slice(0, maxStringLength).toWellFormed(),
        secretName.test(name) ? hidden : walk(inner, depth + 1),
      ]),
    );
  }
  return walk(value, 0);
}
