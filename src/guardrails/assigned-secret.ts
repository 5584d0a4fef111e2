/** Secrets that only their place gives away: `password = …`, `"api_key": "…"`, `https://user:…@host`. */

import { entropyOf } from './secret-formats.ts';
import type { Report } from './guardrail.ts';

const names =
  'pass(?:word|wd|phrase)|pwd|secret(?:[-_ ]?(?:access[-_ ]?)?key)?|api[-_ ]?key|(?:access|auth|refresh|bearer|bot|session)[-_ ]?(?:token|key)|token|private[-_ ]?key|client[-_ ]?secret|credentials?|รหัสผ่าน';

/** Cheap, and true for nearly everything that has such a name. */
const hint = /pass|pwd|secret|api[-_ ]?key|token|[-_ ]key|credential|bearer|รหัสผ่าน/i;
const assignment = new RegExp(
  `(?:${names})(?:"|'|\\\\")?\\s{0,4}(?:=>|:=|[:=]|คือ)\\s{0,4}(?:"|'|\\\\"|\`)?([^\\s"'\`\\\\,;<>&|(){}\\[\\]]{8,512})`,
  'giu',
);
const bearer = /\bbearer ([A-Za-z0-9._~+/=-]{16,512})/gi;
const urlUser = /:\/\/[^\s:/@?#"'<>]{1,64}:([^\s@/"'<>]{3,128})@[\w[]/g;
const ownName = new RegExp(`(?:^|[-_. ])(?:${names})$`, 'iu');

const notValues =
  /example|sample|dummy|placeholder|change[-_ ]?me|your[-_]|redacted|removed|masked|hidden|xxx|\*\*\*|\.\.\.|…|•••|^\w+=$|^\$|^%|^@|^\/|^\.{1,2}\/|^https?:|^process\.|^env[.:[]|^os\.|^vault:|^ref:|^secret[s]?[./]|^config\.|^self\.|^this\.|^req\.|^(?:string|number|boolean|optional|required|undefined)\b|^true|^false|^null|^none|1234567890|^test/i;

/** True for what a person or a machine would use as a secret; false for words, variables and stand-ins. */
export function isLikelySecret(value: string): boolean {
  if (value.length < 8 || notValues.test(value)) return false;
  const hasDigit = /\d/.test(value);
  const hasLower = /[a-z]/.test(value);
  const hasUpper = /[A-Z]/.test(value);
  const hasSign = /[^A-Za-z0-9_.\-/]/.test(value);
  const kinds = Number(hasDigit) + Number(hasLower) + Number(hasUpper) + Number(hasSign);
  if (kinds < 2 || (!hasDigit && !hasSign)) return false;
  // An ISO date, a number with unit, a version, an id of words.
  if (/^[\d.,:TZ+-]+$/.test(value) || /^[a-z]+(?:[-_./][a-z]+)*[-_./]?v?\d{0,3}$/i.test(value)) return false;
  const bits = entropyOf(value);
  return bits * value.length >= 24 && bits >= 2.4;
}

function all(pattern: RegExp, rule: string, text: string, report: Report): void {
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const value = match[1]!;
    if (!isLikelySecret(value)) continue;
    const start = match.index + match[0].lastIndexOf(value);
    report(rule, start, start + value.length);
  }
}

/** Reports values that are assigned to a telling name, in the text or by the name of the field. */
export function findAssignedSecrets(text: string, field: string, report: Report): void {
  if (text.length <= 512 && field !== '' && ownName.test(field) && isLikelySecret(text) && !/\s/.test(text)) {
    report('assigned-secret', 0, text.length);
    return;
  }
  if (text.includes('://') && text.includes('@')) all(urlUser, 'url-password', text, report);
  if (!hint.test(text)) return;
  all(assignment, 'assigned-secret', text, report);
  all(bearer, 'bearer-token', text, report);
}
