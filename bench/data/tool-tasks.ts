/**
 * A hundred tasks in the words of people who do not know the tools, each with the tools of our built-in servers
 * that do it, the best first. They were written from the names of the tools only, before the search was, and are
 * not changed to fit it; the word groups of the search were widened once after the first measurement.
 */

export interface ToolTask {
  readonly task: string;
  /** Names in `/mcp`; any of them is right. */
  readonly tools: readonly string[];
  readonly language: 'en' | 'th';
}

const english: readonly [task: string, ...tools: string[]][] = [
  // git-memory-server
  ['remember that our deploy day is Thursday', 'memory_store'],
  ['save these twelve facts in one go', 'memory_store_many'],
  ['add a line to the meeting notes without reading them first', 'memory_append'],
  ['count one more visit', 'memory_increment'],
  ['forget what I told you about the old address', 'memory_delete'],
  ['bring back the note as it was last Monday', 'memory_restore'],
  ['give the present state of everything you know a name so I can go back to it', 'memory_snapshot'],
  ['what value did we save under projects/apollo/owner', 'memory_retrieve'],
  ['which notes exist whose names start with projects/', 'memory_list'],
  ['who changed this note and when', 'memory_history'],
  ['what is different between two versions of a note', 'memory_diff'],
  ['how many memories are stored and how big is the repository', 'memory_stats'],
  ['make a safe copy of the whole memory somewhere else', 'memory_backup'],
  ['check that nothing in the memory is damaged', 'memory_verify'],
  ['rebuild the search index of the memory', 'memory_reindex'],
  ['what has been changed since I last looked', 'memory_changes'],
  ['which notes link to this one', 'memory_links'],
  ['try out edits to several notes on the side before making them real', 'memory_workspace'],
  ['push what we know to the shared Git remote now', 'memory_sync'],
  ['show me where two edits clashed', 'memory_conflicts'],
  ['keep my version and throw the other away where edits clashed', 'memory_resolve'],
  ['what do we know about the customer who complained about shipping', 'memory_search'],
  // 3d-sco-thinking
  ['what ready-made ways of working through a problem are there', '3d-sco-thinking__thinking_templates'],
  ['begin a structured analysis of why sign-ups dropped', '3d-sco-thinking__thinking_start'],
  ['show all the lines of thought I have open', '3d-sco-thinking__thinking_list'],
  ['write down the next thought in this chain of reasoning', '3d-sco-thinking__thinking_add_step'],
  ['correct an earlier thought, it was wrong', '3d-sco-thinking__thinking_revise_step'],
  ['explore an alternative from the third thought', '3d-sco-thinking__thinking_branch'],
  ['drop that alternative, the main line was better', '3d-sco-thinking__thinking_resolve_branch'],
  ['how far along is the analysis', '3d-sco-thinking__thinking_progress'],
  ['compare three vendors by weighted criteria and pick one', '3d-sco-thinking__thinking_decide'],
  ['finish the reasoning with a final answer', '3d-sco-thinking__thinking_conclude'],
  ['continue an analysis that was already finished', '3d-sco-thinking__thinking_reopen'],
  ['turn the chain of reasoning into a Markdown report', '3d-sco-thinking__thinking_export'],
  // sqlite
  ['how many orders did each customer place last month, from the database', 'sqlite__query'],
  ['set the price of product 7 to 12.50 in the table', 'sqlite__execute'],
  ['move money between two accounts so that either both rows change or none', 'sqlite__transaction'],
  ['which databases are there', 'sqlite__list_databases'],
  ['what tables does shop.db have', 'sqlite__list_tables'],
  ['what columns and types does the customers table have', 'sqlite__describe_table'],
  ['load this CSV file into a table', 'sqlite__import_rows'],
  ['save a copy of the database before the migration', 'sqlite__backup_database'],
  ['get rid of the test database completely', 'sqlite__drop_database'],
  // local-file-system
  ['which folders am I allowed to work in', 'local-file-system__list_roots'],
  ['show me what is in config.yaml', 'local-file-system__read_file'],
  ['how big is video.mp4 and when was it last modified', 'local-file-system__file_info'],
  ['what files are in the downloads folder', 'local-file-system__list_directory'],
  ['draw the structure of the project with all its subfolders', 'local-file-system__tree'],
  ['find all files that end in .log', 'local-file-system__search_files'],
  ['which files contain the word TODO', 'local-file-system__search_content'],
  ['create a new text file with this content', 'local-file-system__write_file'],
  ['add one more line to the end of the log file', 'local-file-system__append_file'],
  ['replace localhost with example.org in settings.ini', 'local-file-system__edit_file'],
  ['make a new folder called reports', 'local-file-system__create_directory'],
  ['rename draft.txt to final.txt', 'local-file-system__move'],
  ['duplicate the templates folder', 'local-file-system__copy'],
  ['remove the old invoices folder', 'local-file-system__delete'],
  ['I deleted a file by mistake, get it back', 'local-file-system__restore', 'local-file-system__list_trash'],
  ['free space by clearing out deleted files for good', 'local-file-system__empty_trash'],
  // http-client
  ['send a POST to our webhook with this body', 'http-client__http_request'],
  [
    'call the weather API and give me the temperature',
    'http-client__http_get_json',
    'http-client__http_request',
  ],
  ['save the PDF at this link to disk', 'http-client__download_file'],
  ['is our website up and does the link still work', 'http-client__check_url'],
  // image-processing
  ['what are the dimensions and format of this photo', 'image-processing__image_info'],
  ['make the picture 800 pixels wide', 'image-processing__resize'],
  ['create a small preview of the photo', 'image-processing__thumbnail'],
  ['cut out the left half of the picture', 'image-processing__crop'],
  ['the photo lies on its side, turn it', 'image-processing__rotate'],
  ['change this PNG into a WebP', 'image-processing__convert'],
  ['make the photo brighter and black and white', 'image-processing__adjust'],
  ['put one picture on top of another', 'image-processing__composite', 'image-processing__watermark'],
  ['stamp our company name across the photo', 'image-processing__watermark'],
  ['are these two pictures the same', 'image-processing__compare'],
  // git-operations
  ['which Git repositories can you work with', 'git-operations__git_list_repositories'],
  ['start version control in this new folder', 'git-operations__git_init'],
  ['get a local copy of the repository at this URL', 'git-operations__git_clone'],
  ['what have I changed but not committed yet', 'git-operations__git_status', 'git-operations__git_diff'],
  ['show the exact lines that differ between main and my branch', 'git-operations__git_diff'],
  ['what were the last ten commits', 'git-operations__git_log'],
  ['what did commit a1b2c3 change', 'git-operations__git_show'],
  ['who wrote line 40 of server.ts', 'git-operations__git_blame'],
  ['stage all my changes for the next commit', 'git-operations__git_add'],
  ['commit with the message "fix login"', 'git-operations__git_commit'],
  ['put my unfinished work aside for a moment', 'git-operations__git_stash'],
  ['go over to the release branch', 'git-operations__git_switch'],
  ['mark this commit as version 2.0', 'git-operations__git_tag'],
  ['bring the feature branch into main', 'git-operations__git_merge'],
  // system-monitoring
  ['how busy is the processor', 'system-monitoring__cpu_usage', 'system-monitoring__system_overview'],
  ['how much disk space is left', 'system-monitoring__disk_usage'],
  ['which programs eat the most RAM', 'system-monitoring__processes', 'system-monitoring__memory_usage'],
  ['what is listening on port 8080', 'system-monitoring__listening_ports'],
];

const thai: readonly [task: string, ...tools: string[]][] = [
  ['จำไว้ว่าลูกค้าชอบกาแฟดำ', 'memory_store'],
  ['ค้นหาความจำเกี่ยวกับโครงการอพอลโล', 'memory_search'],
  ['อ่านไฟล์ config.yaml', 'local-file-system__read_file'],
  ['ลบโฟลเดอร์เก่า', 'local-file-system__delete'],
  ['ย่อขนาดรูปภาพ', 'image-processing__resize', 'image-processing__thumbnail'],
  ['แสดงรายชื่อตารางในฐานข้อมูล', 'sqlite__list_tables'],
  ['ดูประวัติ commit ล่าสุด', 'git-operations__git_log'],
  ['ดาวน์โหลดไฟล์จากเว็บ', 'http-client__download_file'],
  ['เครื่องใช้หน่วยความจำเท่าไร', 'system-monitoring__memory_usage'],
];

/** All of them, English first. */
export const toolTasks: readonly ToolTask[] = [
  ...english.map(([task, ...tools]): ToolTask => ({ task, tools, language: 'en' })),
  ...thai.map(([task, ...tools]): ToolTask => ({ task, tools, language: 'th' })),
];
