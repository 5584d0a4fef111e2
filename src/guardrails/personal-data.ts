/** Guardrail `personalData`: e-mail addresses, phone numbers, Thai national ids, cards, IBANs and passports. */

import { isCardNumber, isIban, isThaiId } from './check-digits.ts';
import type { Guardrail, Report } from './guardrail.ts';
import { findEmails } from './find-emails.ts';

/** Digits in groups, Arabic or Thai, with what people write between them; each repetition is bounded. */
const number =
  /(?<![\w/#@๐-๙-]|\d[,.:=])[+(]{0,2}[0-9๐-๙](?:[ .()\u00a0-]{0,2}[0-9๐-๙]){7,20}(?![\w๐-๙]|-\w|\.\d|:\d)/g;
const account = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])/g;
const passport =
  /(?:passport|pasaporte|reisepass|หนังสือเดินทาง|พาสปอร์ต)[^\n]{0,30}?(?<![A-Za-z0-9])([A-Z]{1,2}\d{6,8})(?![A-Za-z0-9])/giu;

const idWords =
  /national[ _-]?id|citizen|id[ _-]?card|thai[ _-]?id|identification|personal[ _-]?id|\bpid\b|บัตรประ|เลขประจำตัว|เลขบัตร|ปชช/i;
const phoneWords =
  /phone|mobile|\btel\b|telephone|\bfax\b|\bcall\b|whatsapp|contact|โทร|มือถือ|เบอร์|ติดต่อ|แฟกซ์/i;
const cardWords = /card|\bpan\b|visa|mastercard|amex|บัตรเครดิต|บัตรเดบิต|หมายเลขบัตร/i;

/** Thai digits as others. */
function plainDigits(text: string): string {
  return text.replaceAll(/[๐-๙]/g, (digit) => String(digit.charCodeAt(0) - 0x0e50));
}

/** Words around a number, looked for only when it is asked. */
interface Context {
  says(words: RegExp): boolean;
}

/** As `1-2345-67890-12-3`, with dashes or spaces. */
const idGroups = /^\d[- ]\d{4}[- ]\d{5}[- ]\d{2}[- ]\d$/;
const cardGroups = /^\d{4}[- ]\d{4}[- ]\d{4}[- ]\d{4}$|^\d{4}[- ]\d{6}[- ]\d{4,5}$/;
const thaiMobile = /^0[689]\d([- .]?)\d{3}\1\d{4}$|^0[689]\d[- .]\d{7}$|^0[689]-\d{4}-\d{4}$/;
const thaiLandline = /^\(?0(?:2\)?[- ]\d{3}[- ]\d{4}|[3-7]\d\)?[- ]\d{3}[- ]\d{3})$/;
const northAmerican = /^(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-.])[2-9]\d{2}[-.]\d{4}$/;
/** With the country code: five groups at most, each with something between. */
const international = /^\+[1-9](?:[ .()-]{0,2}\d){7,14}$/;

function ruleOf(written: string, context: Context): string | undefined {
  const digits = written.replaceAll(/\D/g, '');
  if (written.startsWith('+')) return international.test(written) ? 'phone' : undefined;
  if (digits.length === 13 && isThaiId(digits)) {
    // One in ten numbers of thirteen digits adds up by chance, times in milliseconds among them.
    if (idGroups.test(written) || context.says(idWords)) return 'thai-id';
  }
  if (digits.length >= 14 && isCardNumber(digits)) {
    if (digits === written ? digits.length <= 16 || context.says(cardWords) : cardGroups.test(written))
      return 'card';
  }
  if (thaiMobile.test(written) || thaiLandline.test(written)) return 'phone';
  if (northAmerican.test(written)) return 'phone';
  if (/^0[2-7]\d{7}$/.test(written) && context.says(phoneWords)) return 'phone';
  if (/^00[1-9]\d{8,13}$/.test(digits) && context.says(phoneWords)) return 'phone';
  return undefined;
}

function findNumbers(text: string, name: string, report: Report): void {
  const said = new Map<RegExp, boolean>();
  const context: Context = {
    says(words) {
      const known =
        said.get(words) ?? (words.test(name.replaceAll(/([a-z])([A-Z])/g, '$1 $2')) || words.test(text));
      said.set(words, known);
      return known;
    },
  };
  number.lastIndex = 0;
  for (let match = number.exec(text); match; match = number.exec(text)) {
    const rule = ruleOf(plainDigits(match[0]).replaceAll('\u00a0', ' '), context);
    if (rule !== undefined) report(rule, match.index, match.index + match[0].length);
  }
}

function findAccounts(text: string, report: Report): void {
  for (const match of text.matchAll(account)) {
    // A word in capitals that follows is taken for one more group: the length of the country says where it ends.
    for (let end = match[0].length; end >= 15; end -= 1) {
      if (!isIban(match[0].slice(0, end).replaceAll(' ', ''))) continue;
      report('iban', match.index, match.index + end);
      break;
    }
  }
}

const eightDigits = /[0-9๐-๙](?:[^0-9๐-๙]{0,3}[0-9๐-๙]){5}/;
const accountHint = /[A-Z]{2}\d{2}[ A-Z0-9]/;
const passportHint = /passport|pasaporte|reisepass|หนังสือเดินทาง|พาสปอร์ต/i;

export function createPersonalData(): Guardrail {
  return {
    name: 'personalData',
    directions: ['arguments', 'results'],
    inspect(text, { name }, report) {
      if (text.length < 6) return;
      if (text.includes('@')) findEmails(text, report);
      if (!eightDigits.test(text)) return;
      findNumbers(text, name, report);
      if (accountHint.test(text)) findAccounts(text, report);
      if (!passportHint.test(text)) return;
      for (const match of text.matchAll(passport)) {
        const end = match.index + match[0].length;
        report('passport', end - match[1]!.length, end);
      }
    },
  };
}
