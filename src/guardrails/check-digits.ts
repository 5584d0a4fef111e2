/** Numbers that carry their own check. All take digits or letters only, without separators. */

/** Sum of digits that tells a card number from others (ISO/IEC 7812-1). */
export function fitsLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    let digit = digits.charCodeAt(digits.length - 1 - at) - 48;
    if (at % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 === 0;
}

/** A card of an issuer that there is, in the length that it has. */
export function isCardNumber(digits: string): boolean {
  const { length } = digits;
  if (length < 13 || length > 19 || /^(\d)\1+$/.test(digits)) return false;
  const two = Number(digits.slice(0, 2));
  const four = Number(digits.slice(0, 4));
  const isKnown =
    (digits[0] === '4' && length === 16) ||
    (((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) && length === 16) ||
    ((two === 34 || two === 37) && length === 15) ||
    ((four === 6011 || two === 65 || (four >= 6440 && four <= 6499)) && length === 16) ||
    (four >= 3528 && four <= 3589 && length === 16) ||
    (two === 62 && length >= 16) ||
    ((two === 36 || two === 38 || (four >= 3000 && four <= 3059)) && length === 14);
  return isKnown && fitsLuhn(digits);
}

/** The Thai national id: thirteen digits, the last one 11 less the weighted sum of the others, modulo 11. */
export function isThaiId(digits: string): boolean {
  if (!/^[0-8]\d{12}$/.test(digits) || /^(\d)\1+$/.test(digits)) return false;
  let sum = 0;
  for (let at = 0; at < 12; at += 1) sum += (digits.charCodeAt(at) - 48) * (13 - at);
  return (11 - (sum % 11)) % 10 === digits.charCodeAt(12) - 48;
}

/** Lengths by country, of the registry of ISO 13616. */
const ibanLengths: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 ' +
    'FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 ' +
    'LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ' +
    'ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** An account number that leaves 1 when its rearranged form is divided by 97 (ISO 13616). */
export function isIban(text: string): boolean {
  if (ibanLengths[text.slice(0, 2)] !== text.length) return false;
  let rest = 0;
  for (const char of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(char, 36);
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
  }
  return rest === 1;
}
