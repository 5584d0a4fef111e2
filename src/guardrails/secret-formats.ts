/** Tokens that can be told by their form, as data: how each begins, what it looks like, and what it must add up to. */

import { crc32 } from 'node:zlib';

export interface SecretFormat {
  readonly rule: string;
  /** Texts that one of them begins with. */
  readonly anchors: readonly string[];
  /** Sticky; all its repetitions are bounded. */
  readonly pattern: RegExp;
  /** False for what only looks like it. */
  readonly check?: (token: string) => boolean;
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The last six characters of such tokens: CRC-32 of the thirty before, in base 62 with leading zeros. */
export function tokenChecksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  while (rest > 0) {
    text = base62[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text.padStart(6, '0');
}

const addsUp = (token: string): boolean =>
  tokenChecksum(token.slice(token.indexOf('_') + 1, -6)) === token.slice(-6);

/** Bits a character, by how often each occurs; far below that of random text for `xxxx` and words. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const placeholder =
  /example|sample|dummy|placeholder|change[-_ ]?me|your[-_]|redacted|removed|xxxx|0{8}|1234567890|abcdefgh/i;
const isRandom =
  (bits: number) =>
  (token: string): boolean =>
    !placeholder.test(token) && entropyOf(token) >= bits;

/** RFC 7519: the first part is a JSON object with `alg`. */
function isJwt(token: string): boolean {
  const [header = ''] = token.split('.', 1);
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && 'alg' in value;
  } catch {
    return false;
  }
}

const end = '(?![A-Za-z0-9_-])';

export const secretFormats: readonly SecretFormat[] = [
  {
    rule: 'aws-access-key',
    anchors: ['AKIA', 'ASIA', 'ABIA', 'ACCA'],
    pattern: /A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}(?![A-Za-z0-9])/y,
    check: isRandom(2.8),
  },
  {
    rule: 'github-token',
    anchors: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    pattern: /gh[pousr]_[A-Za-z0-9]{36}(?![A-Za-z0-9])/y,
    check: addsUp,
  },
  {
    rule: 'github-token',
    anchors: ['github_pat_'],
    pattern: /github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?![A-Za-z0-9])/y,
    check: isRandom(3.5),
  },
  {
    rule: 'gitlab-token',
    anchors: ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glft-', 'glsoat-', 'glimt-', 'glagent-'],
    pattern: /gl(?:pat|dt|rt|ptt|cbt|ft|soat|imt|agent)-[\w-]{20,300}(?:\.[0-9a-z]{2}\.?[0-9a-z]{7,9})?/y,
    check: isRandom(3.2),
  },
  {
    rule: 'slack-token',
    anchors: ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xoxe.'],
    pattern: /xox(?:[abprs]-|e[-.](?:xox[bp]-)?)[A-Za-z0-9-]{24,250}/y,
    check: (token) => /\d{6}/.test(token) && isRandom(2.8)(token.slice(5)),
  },
  {
    rule: 'slack-token',
    anchors: ['xapp-'],
    pattern: /xapp-\d-[A-Z0-9]{6,16}-\d{6,16}-[a-f0-9]{32,80}/y,
    check: isRandom(3),
  },
  {
    rule: 'slack-webhook',
    anchors: ['hooks.slack.com'],
    pattern:
      /hooks\.slack\.com\/(?:services|workflows)\/T[A-Z0-9]{6,12}\/[AB][A-Z0-9]{6,12}\/[A-Za-z0-9/]{16,60}/y,
    check: isRandom(3),
  },
  {
    rule: 'stripe-key',
    anchors: ['sk_live_', 'rk_live_', 'sk_test_', 'rk_test_'],
    pattern: /[sr]k_(?:live|test)_[A-Za-z0-9]{20,250}/y,
    check: (token) => isRandom(3)(token.slice(8)),
  },
  { rule: 'stripe-key', anchors: ['whsec_'], pattern: /whsec_[A-Za-z0-9+/]{30,80}/y, check: isRandom(3.5) },
  {
    rule: 'google-key',
    anchors: ['AIza'],
    pattern: new RegExp(`AIza[\\w-]{35}${end}`, 'y'),
    check: isRandom(3.2),
  },
  {
    rule: 'google-key',
    anchors: ['GOCSPX-'],
    pattern: new RegExp(`GOCSPX-[\\w-]{28}${end}`, 'y'),
    check: isRandom(3),
  },
  { rule: 'google-token', anchors: ['ya29.'], pattern: /ya29\.[\w-]{30,2000}/y, check: isRandom(3.2) },
  {
    rule: 'npm-token',
    anchors: ['npm_'],
    pattern: /npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/y,
    check: addsUp,
  },
  {
    rule: 'pypi-token',
    anchors: ['pypi-AgE'],
    pattern: /pypi-AgE[\w-]{50,400}/y,
    check: isRandom(3.2),
  },
  {
    rule: 'anthropic-key',
    anchors: ['sk-ant-'],
    pattern: /sk-ant-[a-z0-9]{3,10}-[\w-]{60,140}/y,
    check: isRandom(3.5),
  },
  {
    rule: 'openai-key',
    anchors: ['sk-proj-', 'sk-svcacct-', 'sk-admin-'],
    pattern: /sk-(?:proj|svcacct|admin)-[\w-]{40,250}/y,
    check: isRandom(3.5),
  },
  {
    rule: 'hugging-face-token',
    anchors: ['hf_'],
    pattern: /hf_[A-Za-z]{34}(?![A-Za-z0-9])/y,
    check: isRandom(3.2),
  },
  {
    rule: 'sendgrid-key',
    anchors: ['SG.'],
    pattern: new RegExp(`SG\\.[\\w-]{22}\\.[\\w-]{43}${end}`, 'y'),
    check: isRandom(3.5),
  },
  {
    rule: 'digitalocean-token',
    anchors: ['dop_v1_', 'doo_v1_', 'dor_v1_'],
    pattern: /do[por]_v1_[a-f0-9]{64}(?![A-Za-z0-9])/y,
    check: isRandom(3),
  },
  {
    rule: 'gateway-key',
    anchors: ['gmm_'],
    pattern: new RegExp(`gmm_[0-9a-f]{12}_[\\w-]{43}${end}`, 'y'),
    check: isRandom(3.2),
  },
  {
    rule: 'jwt',
    anchors: ['eyJ'],
    pattern: /eyJ[\w-]{8,2048}\.eyJ[\w-]{4,8192}\.[\w-]{16,1024}/y,
    check: isJwt,
  },
  {
    rule: 'private-key',
    anchors: ['-----BEGIN '],
    // A body without its last line is one that was cut off; in JSON its lines end with \n in letters.
    pattern:
      /-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|\s){0,4}(?:[\w-]{3,20}: [^\n\\]{1,80}(?:\\[nr]|\s){1,4}){0,4}(?:[A-Za-z0-9+/=]{16,100}(?:\\[nr]|\s){1,4}){1,200}[A-Za-z0-9+/=]{0,100}(?:\\[nr]|\s){0,4}(?:-----END [A-Z0-9 ]{3,40}-----)?/y,
  },
  {
    rule: 'private-key',
    anchors: ['PuTTY-User-Key-File-'],
    pattern: /PuTTY-User-Key-File-[23]: [\w:+/=@.\s\\-]{40,8000}/y,
  },
];
