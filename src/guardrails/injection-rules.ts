/**
 * Phrases that speak to a model behind its user's back, as data: English and Thai. Each is a chain of steps in one
 * sentence, so that a text costs at most its length times the reach, whatever it repeats.
 */

import type { GuardrailDirection } from '../kernel/guardrail-options.ts';

export interface InjectionRule {
  readonly rule: string;
  readonly directions: readonly GuardrailDirection[];
  /** Where it may begin; global. */
  readonly start: RegExp;
  /** What has to follow, one after the other, each within `reach` characters of the one before and in its sentence. */
  readonly steps: readonly RegExp[];
  readonly reach: number;
}

const both: readonly GuardrailDirection[] = ['results', 'definitions'];
const definitions: readonly GuardrailDirection[] = ['definitions'];

const secretThing =
  /\b(?:api[ -]?keys?|passwords?|credentials?|secrets?|(?:access|auth|session|bearer) tokens?|tokens?|private keys?|ssh keys?|id_rsa|environment variables|(?:chat|conversation|message) (?:history|log)|(?:entire|full|whole) conversation|system prompt|cookies|contents? of (?:the )?(?:file|config))\b|\.env\b/i;
const destination =
  /\b(?:to|at|via|in|as)\b.{0,16}?(?:https?:\/\/|[\w.+-]{1,40}@[\w-]{1,40}\.|\b(?:this|the|our|my|following|an?|another) (?:\w{1,12} )?(?:url|server|endpoint|address|webhook|attacker|parameter|field|header|argument)\b|\w{1,30}(?:'|"|`)? (?:parameter|argument)\b)/i;

export const injectionRules: readonly InjectionRule[] = [
  {
    rule: 'override',
    directions: both,
    start:
      /\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|overrid(?:e|ing)|bypass|do not follow|don't follow)\b/gi,
    steps: [
      /\b(?:previous(?:ly)?|prior|above|earlier|preceding|former|system|safety|your|developer|user's|all|any|everything)\b/i,
      /\b(?:instructions?|prompts?|rules|guidelines|directives|constraints|restrictions|were told)\b/i,
    ],
    reach: 48,
  },
  {
    rule: 'override',
    directions: both,
    start: /ละเว้น|เพิกเฉย|ไม่ต้องสนใจ|อย่าสนใจ|ไม่สนใจ|ลืม|ยกเลิก|ไม่ต้องทำตาม|อย่าทำตาม|มองข้าม/g,
    steps: [/คำสั่ง|กฎ|ข้อกำหนด|คำแนะนำ/, /ก่อนหน้า|ก่อนนี้|ข้างต้น|ทั้งหมด|เดิม|ของระบบ|ที่ผ่านมา/],
    reach: 24,
  },
  {
    rule: 'new-role',
    directions: both,
    start: /\byou are now\b/gi,
    steps: [/\b(?:assistant|mode|ai|agent|model|jailbr\w{1,8}|unrestricted|DAN|developer|bot|without)\b/i],
    reach: 60,
  },
  {
    rule: 'new-role',
    directions: both,
    start:
      /\bfrom now on,? you (?:must|will|are|should|have to)\b|\b(?:new|updated|real|actual|important) (?:system )?instructions? (?:for (?:the )?(?:ai|assistant|model|agent)|from (?:the )?(?:system|developer|admin))\b|\bsystem (?:prompt )?override\b|(?:จากนี้ไป|ตั้งแต่นี้(?:ไป|เป็นต้นไป)?)\s{0,2}(?:คุณ|เจ้า|ระบบ)(?:คือ|ต้อง|จะ|เป็น)|คำสั่งใหม่(?:จากระบบ|สำหรับ(?:ผู้ช่วย|เอไอ|AI))/gi,
    steps: [],
    reach: 0,
  },
  {
    rule: 'chat-markup',
    directions: both,
    start:
      /<\|(?:im_start|im_end|system|endoftext|start_header_id|eot_id)\|>|\[\/?INST\]|<<\/?SYS>>|<\/?system(?:[-_ ](?:prompt|message|reminder|override))?>|<\/?(?:important|secret|hidden)(?:[-_ ]instructions?)?>|^### ?(?:system|instruction)s?:/gim,
    steps: [],
    reach: 0,
  },
  {
    rule: 'concealment',
    directions: both,
    start: /\b(?:do not|don't|never|must not|should not|without|avoid)\b/gi,
    steps: [
      /^.{0,16}?\b(?:tell(?:ing)?|mention(?:ing)?|inform(?:ing)?|reveal(?:ing)?|notify(?:ing)?|alert(?:ing)?|disclos(?:e|ing)|let(?:ting)?)\b/i,
      /\b(?:the users?|user know|(?:to )?(?:anyone|the human|the customer))\b/i,
    ],
    reach: 48,
  },
  {
    rule: 'concealment',
    directions: both,
    start:
      /\bthe user (?:must|should|does|need)(?: not|n't) (?:know|see|notice|be (?:told|informed|aware))\b|\bwithout (?:the )?user'?s? (?:knowledge|noticing|knowing)\b|(?:อย่า|ไม่|ห้าม)ให้(?:ผู้ใช้|ลูกค้า)(?:รู้|เห็น|ทราบ)/gi,
    steps: [],
    reach: 0,
  },
  {
    rule: 'concealment',
    directions: both,
    start: /(?:อย่า|ห้าม|ไม่ต้อง|โดยไม่(?:ต้อง)?|ไม่ให้)(?:บอก|แจ้ง|เปิดเผย|รายงาน|กล่าวถึง)/g,
    steps: [/ผู้ใช้|ลูกค้า|มนุษย์/],
    reach: 24,
  },
  {
    rule: 'exfiltration',
    directions: both,
    start:
      /\b(?:send|post|upload|forward|transmit|exfiltrate|leak|email|append|copy|submit|include|pass)\b/gi,
    steps: [secretThing, destination],
    reach: 80,
  },
  {
    rule: 'exfiltration',
    directions: both,
    start: /ส่ง|อัปโหลด|แนบ|คัดลอก/g,
    steps: [
      /รหัสผ่าน|คีย์|โทเค็น|โทเคน|ความลับ|API ?key|token|ประวัติการสนทนา|บทสนทนา|ไฟล์ลับ|ข้อมูลลับ|\.env|id_rsa/i,
      /(?:ไปยัง|ไปที่|ไปหา|ถึง|ที่|ไป).{0,12}?(?:https?:\/\/|[\w.+-]{1,40}@[\w-]{1,40}\.|เซิร์ฟเวอร์|อีเมล)/,
    ],
    reach: 60,
  },
  {
    rule: 'secret-request',
    directions: definitions,
    start: /\b(?:read|open|cat|load|get|fetch|retrieve|access|include|pass|provide|contents? of)\b|อ่าน|เปิด/gi,
    steps: [
      /~\/\.\w{2,20}|\bid_(?:rsa|ed25519)\b|\.aws\/credentials|\/etc\/(?:passwd|shadow)|(?<![\w.])\.env\b|\bmcp\.json\b|\bclaude_desktop_config\b|\.npmrc\b|\.netrc\b|\bkeychain\b/i,
    ],
    reach: 60,
  },
  {
    rule: 'other-tool',
    directions: definitions,
    start: /\b(?:before|after|whenever|when|prior to)\b/gi,
    steps: [
      /^.{0,20}?\b(?:us(?:e|ing)|call(?:ing)?|invok(?:e|ing)|running)\b/i,
      /^.{0,12}?\b(?:any|all|every|each|other|another)\b.{0,12}?\btools?\b/i,
    ],
    reach: 40,
  },
  {
    rule: 'other-tool',
    directions: definitions,
    start:
      /\b(?:must|always|should) (?:be )?(?:call(?:ed)?|used?|invoked?|run) (?:this (?:tool )?)?(?:first\b|before (?:any|all|every|each)\b|prior to (?:any|all)\b)|\b(?:do not|don't|never) (?:use|call) (?:the |any )?(?:other|\w{2,24}) tools?\b|\bwhen (?:the )?[`'"]?\w{2,40}[`'"]? tool is (?:used|called|invoked|available)|(?:ก่อน|ทุกครั้งที่|แทน)(?:จะ|ที่จะ)?(?:ใช้|เรียก).{0,12}?เครื่องมืออื่น/gi,
    steps: [],
    reach: 0,
  },
];

/** One look that tells most texts from those that any rule could begin in. */
export function hintFor(direction: GuardrailDirection): RegExp {
  const starts = injectionRules.filter(({ directions }) => directions.includes(direction));
  return new RegExp(starts.map(({ start }) => start.source).join('|'), 'im');
}

const sentenceEnd = /\n|[.!?](?=\s|$)/;

/** End of the phrase that begins at `from`, after its first step; undefined where a step is missing. */
export function endOfPhrase({ steps, reach }: InjectionRule, text: string, from: number): number | undefined {
  let at = from;
  for (const step of steps) {
    const window = text.slice(at, at + reach);
    const stop = window.search(sentenceEnd);
    const found = step.exec(stop < 0 ? window : window.slice(0, stop + 1));
    if (!found) return undefined;
    at += found.index + found[0].length;
  }
  return at;
}
