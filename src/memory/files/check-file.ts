/** Whether a file that a person wrote is sound, in words that help to mend it. Reading is more lenient. */

import { parseDocument } from 'yaml';
import type { FileKind } from './key-path.ts';
import { frontMatterOf } from './memory-file.ts';

/** What is wrong with the content of a file; undefined when nothing is. */
export function problemOfContent(kind: FileKind, bytes: Uint8Array): string | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return 'is not UTF-8 text';
  }
  return kind === 'json' ? problemOfJson(text) : problemOfFrontMatter(text);
}

function problemOfJson(text: string): string | undefined {
  if (/^(?:<{7}|={7}|>{7})/m.test(text)) return 'has conflict marks of Git in it';
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const [detail = ''] = (error as Error).message.split('\n');
    return `is not valid JSON: ${detail.slice(0, 200)}`;
  }
}

function problemOfFrontMatter(text: string): string | undefined {
  const yaml = frontMatterOf(text);
  if (yaml === undefined) return undefined;
  const document = parseDocument(yaml, { logLevel: 'silent', prettyErrors: false });
  const [error] = document.errors;
  if (!error) return undefined;
  // The front matter begins in the second line of the file.
  const line = yaml.slice(0, error.pos[0]).split('\n').length + 1;
  return `has front matter that is not valid YAML, line ${line}: ${error.message.split('\n')[0]}`;
}
