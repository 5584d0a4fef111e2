/** HTML of our own pages: no script, one style sheet whose hash the policy names, everything escaped. */

import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { product } from '../../kernel/product.ts';
import type { Language } from './texts.ts';
import { styleSheet } from './style-sheet.ts';

/** Markup that is safe to put into a page; made by `html` only. */
export interface Html {
  readonly markup: string;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

type Part = string | number | Html | undefined | readonly Html[];

function markupOf(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'object') return 'markup' in part ? part.markup : part.map(markupOf).join('');
  return String(part).replaceAll(/[&<>"']/g, (character) => escapes[character]!);
}

/** Escapes what is put in, unless it is markup itself. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: String.raw({ raw: pieces }, ...parts.map(markupOf)) };
}

/** Outside of the template: the hash is of every character, and formatters move them. */
const styleElement: Html = { markup: `<style>${styleSheet}</style>` };
const styleHash = createHash('sha256').update(styleSheet).digest('base64');

/** Of each page of ours. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export interface Page {
  readonly language: Language;
  readonly title: string;
  readonly body: Html;
  /** Where the browser goes by itself. */
  readonly goesTo?: string;
}

/** The page as one document. */
export function pageText({ language, title, body, goesTo }: Page): string {
  const refresh =
    goesTo === undefined ? undefined : html`<meta http-equiv="refresh" content="0;url=${goesTo}" />`;
  const { markup } = html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        ${refresh}
        <title>${title} · ${product.name}</title>
        ${styleElement}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `;
  return markup;
}

export function sendPage(response: ServerResponse, page: Page, status = 200): void {
  response.writeHead(status, pageHeaders).end(pageText(page));
}

/** 303: the next request is a GET. */
export function sendTo(response: ServerResponse, path: string): void {
  response.writeHead(303, { location: path, 'cache-control': 'no-store' }).end();
}
