/**
 * Words that people use for the same thing, in English and Thai. Servers describe their tools in the words of
 * programmers and nearly always in English; a question may come in other words. General ones only: a server's own
 * vocabulary belongs into its descriptions.
 */

import { toolWords } from './tool-words.ts';

const groups = [
  // What is done.
  'delete remove erase drop forget discard clear ลบ',
  'create make new add build generate สร้าง เพิ่ม',
  'list show enumerate browse display แสดง รายการ รายชื่อ',
  'get fetch read retrieve load open view อ่าน เปิด',
  'search find lookup locate query ค้นหา ค้น หา',
  'write save store put keep remember บันทึก เขียน จำ จดจำ',
  'update edit change modify set replace adjust correct แก้ไข แก้ เปลี่ยน',
  'copy duplicate clone คัดลอก สำเนา',
  'move rename ย้าย',
  'run execute invoke รัน',
  'start begin launch เริ่ม',
  'stop end kill cancel หยุด',
  'finish complete conclude close',
  'continue resume reopen',
  'send post submit ส่ง',
  'call request',
  'download ดาวน์โหลด โหลด',
  'upload อัปโหลด',
  'restore recover undo revert undelete กู้คืน กู้ คืน',
  'backup สำรอง',
  'check verify validate test ตรวจสอบ ตรวจ',
  'compare diff difference differ เปรียบเทียบ',
  'merge combine join รวม',
  'choose pick select decide',
  'convert transform export turn',
  'import load ingest',
  'count total number sum many',
  'explain describe detail info information',
  'change modify',
  'damage corrupt broken integrity',
  'clash conflict collide',
  // What it is done to.
  'memory note fact knowledge know ความจำ',
  'file document ไฟล์ แฟ้ม เอกสาร',
  'folder directory โฟลเดอร์',
  'content contain text inside',
  'image picture photo รูปภาพ รูป ภาพ',
  'resize scale shrink enlarge ย่อ ขนาด',
  'size big large bytes length dimension ขนาด',
  'database db sql ฐานข้อมูล',
  'table ตาราง',
  'row record แถว',
  'column field',
  'repository repo คลัง',
  'history log ประวัติ',
  'author who',
  'branch กิ่ง',
  'label tag mark',
  'version revision เวอร์ชัน รุ่น',
  'recent latest last newest ล่าสุด',
  'old former previous earlier',
  'website web page site เว็บ เว็บไซต์',
  'link url address ลิงก์',
  'email mail อีเมล',
  'message ข้อความ',
  'user person people account ผู้ใช้',
  'computer machine system host server เครื่อง ระบบ',
  'cpu processor load หน่วยประมวลผล',
  'ram memory หน่วยความจำ',
  'disk storage drive space ดิสก์',
  'process program task โปรเซส โปรแกรม',
  'network เครือข่าย',
  'thought thinking reason analysis idea',
  'template preset method',
  'issue ticket bug ปัญหา',
  'schedule calendar event appointment ปฏิทิน นัด',
  'payment invoice bill ใบแจ้งหนี้',
  'customer client contact ลูกค้า',
  'container docker image',
  'deploy release publish',
];

const related = new Map<string, Set<string>>();
for (const group of groups) {
  // A Thai word may be cut into several; the whole group is one set of words.
  const words = new Set(toolWords(group));
  for (const word of words) {
    const others = related.get(word) ?? new Set<string>();
    related.set(word, others);
    for (const other of words) if (other !== word) others.add(other);
  }
}

/** Other words for a word of `toolWords`. */
export function relatedWords(word: string): Iterable<string> {
  return related.get(word) ?? [];
}
