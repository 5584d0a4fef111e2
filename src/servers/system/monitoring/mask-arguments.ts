/** Takes secrets out of command lines before anyone sees them; rather too much than too little. */

const mask = '***';

/** Words that make the name of an option, variable or header a secret one. */
const secretWord =
  'pass(?:word|wd|phrase|code)?|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|signing[-_]?key|encryption[-_]?key|license[-_]?key|credentials?|auth(?:orization)?|bearer|cookie|session[-_]?id|jwt|dsn|connection[-_]?string|webhook';
/** Looked for from the start of a word only, or a long word would cost the square of its length. */
const secretName = `(?<![\\w.-])[\\w.-]*(?:${secretWord})[\\w.-]*`;

/** `--password`, `-token`, `/apikey`: the next argument is the secret. */
const secretFlag = new RegExp(`^(?:--?|/)[\\w.-]*(?:${secretWord})[\\w.-]*$`, 'i');
/** `KEY=…`, `--token=…`, `"password": …` anywhere in a text. */
const assignment = new RegExp(
  `(${secretName}["']?\\s*[=:]\\s*)("[^"]*"|'[^']*'|(?:(?:bearer|basic|token)\\s+)?[^\\s&;,"']+)`,
  'gi',
);
/** `--password secret` inside one argument, as in `sh -c "…"`. */
const flagInText = new RegExp(
  `((?<![\\w.-])--?[\\w.-]*(?:${secretWord})[\\w.-]*\\s+)(?!-)("[^"]*"|'[^']*'|\\S+)`,
  'gi',
);
/** `Authorization: Bearer …` and the like, up to the end of the argument or quotation. */
const header =
  /((?:authorization|proxy-authorization|cookie|set-cookie|x-[\w-]*(?:key|token|secret)[\w-]*)\s*:\s*)[^"'\n]+/gi;
const urlUser = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
/** Tokens that betray themselves by their form: GitHub, GitLab, Slack, AWS, OpenAI and Anthropic, Stripe, Google, npm, JWT. */
const knownTokens =
  /\b(?:gh[pousr]_\w{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|A(?:KIA|SIA)[A-Z0-9]{16}|[sr]k[-_][\w-]{16,}|AIza[\w-]{30,}|npm_\w{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)/g;

/** Programs that take a password glued to `-p`, or after it. */
const gluedPassword =
  /^(?:mysql\w*|mariadb[\w-]*|sshpass|mongo\w*|redis-cli|psql|ldap\w+|7z\w*|zip|unzip|rar)(?:\.exe)?$/i;
/** Programs whose `-u` takes `user:password`. */
const userPassword = /^(?:curl|wget|http|https|xh)(?:\.exe)?$/i;

function maskText(text: string): string {
  return text
    .replaceAll(urlUser, `$1${mask}@`)
    .replaceAll(header, `$1${mask}`)
    .replaceAll(assignment, `$1${mask}`)
    .replaceAll(flagInText, `$1${mask}`)
    .replaceAll(knownTokens, mask);
}

const baseName = (path: string): string => path.split(/[/\\]/).at(-1) ?? '';

/** The same arguments with every secret replaced by `***`. */
export function maskArguments(args: readonly string[]): string[] {
  const program = baseName(args[0] ?? '');
  return args.map((arg, index) => {
    const former = index === 0 ? '' : (args[index - 1] ?? '');
    if (secretFlag.test(former) && !arg.startsWith('--')) return mask;
    if (gluedPassword.test(program)) {
      if (/^-[pa]$/.test(former)) return mask;
      if (/^-[pa]./.test(arg) && !arg.startsWith('--')) return `${arg.slice(0, 2)}${mask}`;
    }
    if (userPassword.test(program)) {
      if (/^(?:-u|--user|--proxy-user|-U)$/.test(former)) return arg.replace(/:.*$/s, `:${mask}`);
      if (/^-u./.test(arg)) return arg.replace(/:.*$/s, `:${mask}`);
    }
    return maskText(arg);
  });
}

const maxCharacters = 500;
const maxArgumentCharacters = 1000;
const maxArguments = 200;

/** One line for people: masked, control characters out, cut after 500 characters. */
export function toCommandLine(args: readonly string[]): string {
  const short = args.slice(0, maxArguments).map((arg) => arg.slice(0, maxArgumentCharacters));
  const line = maskArguments(short)
    .join(' ')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
  return line.length > maxCharacters ? `${line.slice(0, maxCharacters)}…` : line;
}
