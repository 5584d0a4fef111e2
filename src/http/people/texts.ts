/** What the pages say, in English and Thai. */

export type Language = 'en' | 'th';

const english = {
  signIn: 'Sign in',
  login: 'Login',
  password: 'Password',
  passwordAgain: 'Password, once more',
  wrong: 'Login or password is wrong.',
  tooMany: 'Too many tries. Wait a quarter of an hour, then try again.',
  busy: 'Too many people sign in at once. Try again in a moment.',
  expired: 'This page was open for too long. Please try again.',
  firstOwner: 'Make the owner',
  firstOwnerWhy: 'Nobody owns this gateway yet. Choose the login and password of its owner.',
  setPassword: 'Set your password',
  save: 'Save and sign in',
  passwordRule: 'At least 12 characters. A few unrelated words are easy to remember.',
  badPassword: 'The password must have 12 to 256 characters and not be the login.',
  badLogin: 'This login cannot be used: it is empty, has spaces, or is taken.',
  notSame: 'The two passwords are not the same.',
  deadLink: 'This link opens nothing',
  deadLinkWhy:
    'It was used, is too old, or was replaced by another one. Ask for a new one: git-memory-mcp users reset, or a restart of a gateway without an owner.',
  letIn: 'Let this app in?',
  app: 'App (the name is its own claim)',
  clientId: 'Its id',
  goesTo: 'You will be sent to',
  reaches: 'It wants to use',
  asYou: 'It will be able to do there all that you may, as',
  localWarning:
    'It says that it runs on this computer. Go on only if you have just started signing in from it.',
  allow: 'Let it in',
  refuse: 'Refuse',
  goOn: 'Go on',
  goingOn: 'Going on…',
  account: 'Your account',
  role: 'Role',
  apps: 'Apps that you let in',
  noApps: 'None yet.',
  since: 'since',
  revoke: 'Take leave away',
  signOut: 'Sign out',
  failed: 'This did not work',
  over: 'This sign-in is over, or was begun in another browser. Go back to the app and start again.',
};

const thai: typeof english = {
  signIn: 'เข้าสู่ระบบ',
  login: 'ชื่อผู้ใช้',
  password: 'รหัสผ่าน',
  passwordAgain: 'รหัสผ่านอีกครั้ง',
  wrong: 'ชื่อผู้ใช้หรือรหัสผ่านไม่ถูกต้อง',
  tooMany: 'ลองหลายครั้งเกินไป กรุณารอสิบห้านาทีแล้วลองใหม่',
  busy: 'มีผู้เข้าสู่ระบบพร้อมกันมากเกินไป กรุณาลองใหม่อีกครั้ง',
  expired: 'หน้านี้เปิดค้างไว้นานเกินไป กรุณาลองใหม่',
  firstOwner: 'สร้างเจ้าของระบบ',
  firstOwnerWhy: 'เกตเวย์นี้ยังไม่มีเจ้าของ กรุณาตั้งชื่อผู้ใช้และรหัสผ่านของเจ้าของ',
  setPassword: 'ตั้งรหัสผ่านของคุณ',
  save: 'บันทึกและเข้าสู่ระบบ',
  passwordRule: 'อย่างน้อย 12 ตัวอักษร คำหลายคำที่ไม่เกี่ยวข้องกันจะจำได้ง่าย',
  badPassword: 'รหัสผ่านต้องมี 12 ถึง 256 ตัวอักษร และต้องไม่ตรงกับชื่อผู้ใช้',
  badLogin: 'ใช้ชื่อผู้ใช้นี้ไม่ได้ เพราะว่างเปล่า มีช่องว่าง หรือมีผู้ใช้แล้ว',
  notSame: 'รหัสผ่านทั้งสองไม่ตรงกัน',
  deadLink: 'ลิงก์นี้ใช้ไม่ได้แล้ว',
  deadLinkWhy:
    'ลิงก์ถูกใช้ไปแล้ว หมดอายุ หรือถูกแทนที่ด้วยลิงก์ใหม่ ขอลิงก์ใหม่ด้วยคำสั่ง git-memory-mcp users reset หรือเริ่มเกตเวย์ที่ยังไม่มีเจ้าของใหม่',
  letIn: 'อนุญาตให้แอปนี้เข้าใช้หรือไม่',
  app: 'แอป (ชื่อที่แอปแจ้งเอง)',
  clientId: 'รหัสของแอป',
  goesTo: 'คุณจะถูกส่งไปที่',
  reaches: 'แอปขอใช้',
  asYou: 'แอปจะทำทุกอย่างที่คุณมีสิทธิ์ทำได้ที่นั่น ในนามของ',
  localWarning: 'แอปแจ้งว่าทำงานบนเครื่องนี้ ดำเนินการต่อเฉพาะเมื่อคุณเพิ่งเริ่มเข้าสู่ระบบจากแอปนั้นเอง',
  allow: 'อนุญาต',
  refuse: 'ปฏิเสธ',
  goOn: 'ดำเนินการต่อ',
  goingOn: 'กำลังดำเนินการต่อ…',
  account: 'บัญชีของคุณ',
  role: 'บทบาท',
  apps: 'แอปที่คุณอนุญาต',
  noApps: 'ยังไม่มี',
  since: 'ตั้งแต่',
  revoke: 'ยกเลิกการอนุญาต',
  signOut: 'ออกจากระบบ',
  failed: 'ดำเนินการไม่สำเร็จ',
  over: 'การเข้าสู่ระบบนี้สิ้นสุดแล้ว หรือเริ่มจากเบราว์เซอร์อื่น กรุณากลับไปที่แอปและเริ่มใหม่',
};

export type Texts = typeof english;
const all: Readonly<Record<Language, Texts>> = { en: english, th: thai };

/** The language that is preferred of those that there are (RFC 9110, 12.5.4). */
export function languageOf(acceptLanguage: string | undefined): Language {
  let best: Language = 'en';
  let bestWeight = 0;
  for (const range of (acceptLanguage ?? '').slice(0, 500).split(',')) {
    const [, tag = '', weight = '1'] =
      /^\s*([a-z*]{1,8})(?:-[\w-]+)?\s*(?:;\s*q=([\d.]+))?\s*$/i.exec(range) ?? [];
    const language = tag.toLowerCase();
    if ((language === 'en' || language === 'th') && Number(weight) > bestWeight) {
      best = language;
      bestWeight = Number(weight);
    }
  }
  return best;
}

export function textsOf(language: Language): Texts {
  return all[language];
}
