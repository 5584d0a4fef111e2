/** Known secret values taken out of text that people get to see. Where a name gives a secret away, see `log.ts`. */

export interface Redactor {
  /** From now on the text is hidden wherever it stands. Those under 8 characters are not: they stand in plain words too. */
  readonly add: (secret: string) => void;
  readonly redact: (text: string) => string;
}

const leastLength = 8;
const censor = '[redacted]';

export function createRedactor(): Redactor {
  const known = new Set<string>();
  let longestFirst: readonly string[] = [];
  return {
    add(secret) {
      // As it stands, as JSON writes it, in URLs, and in headers of Basic authentication.
      const json = JSON.stringify(secret).slice(1, -1);
      const base64 = Buffer.from(secret, 'utf8').toString('base64');
      const forms = [secret, secret.trim(), json, encodeURIComponent(secret.toWellFormed()), base64];
      const before = known.size;
      for (const form of forms) if (form.length >= leastLength) known.add(form);
      if (known.size > before) longestFirst = [...known].sort((a, b) => b.length - a.length);
    },
    redact(text) {
      let shown = text;
      for (const secret of longestFirst) if (shown.includes(secret)) shown = shown.replaceAll(secret, censor);
      return shown;
    },
  };
}
