/** The config file that `init` writes: every setting with its description, commented out at its default. */

import { stringify } from 'yaml';
import { listSettings, type Setting } from '../../config/settings.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';

const width = 96;

/** Text as comment lines of a readable width. */
function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + word.length + 3 > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((part) => `${indent}# ${part}`);
}

/** A commented-out setting under its description; in a section both are indented behind the mark. */
function settingLines(setting: Setting, section = ''): string[] {
  const mark = section === '' ? '' : '#   ';
  const key = section === '' ? setting.path : setting.path.slice(section.length + 1);
  const choices = setting.choices ? ` One of ${setting.choices.join(', ')}.` : '';
  const variable = setting.envName === undefined ? '' : ` (${setting.envName})`;
  const value = JSON.stringify(setting.defaultValue ?? setting.example);
  return [
    ...comment(`${setting.description}${choices}${variable}`, mark),
    section === '' ? `# ${key}: ${value}` : `${mark}${key}: ${value}`,
  ];
}

const profiles = `# What holds in one profile only, over what is said above; choose with --profile or
# GIT_MEMORY_MCP_PROFILE.
profiles:
  development:
    limits:
      drainMs: 1000
  production:
    logLevel: warn
    limits:
      drainMs: 30000
`;

const example = `# mcpServers:
#   files:
#     command: npx
#     args: [-y, "@modelcontextprotocol/server-filesystem", ./docs]
#     category: filesystem
#   docs:
#     url: https://mcp.example.org/mcp
#     headers:
#       # Secrets are references: {env: NAME} or {file: path}.
#       Authorization: {env: DOCS_AUTHORIZATION}
`;

function serversText(servers: Readonly<Record<string, JsonObject>>): string {
  if (Object.keys(servers).length === 0) return example;
  return stringify({ mcpServers: servers }, { lineWidth: 0 });
}

/** The whole file; the servers are written as they are. */
export function configTemplate(servers: Readonly<Record<string, JsonObject>>): string {
  const settings = listSettings();
  const bySection = Map.groupBy(settings, ({ path }) => (path.includes('.') ? path.split('.')[0]! : ''));
  const lines = [
    '# Git Memory MCP Server. Settings, commented out at their defaults.',
    '# Flags and environment variables win over this file; `git-memory-mcp config explain` shows what holds.',
    '',
  ];
  for (const setting of bySection.get('') ?? []) {
    if (setting.kind !== 'map') lines.push(...settingLines(setting), '');
  }
  for (const [section, members] of bySection) {
    if (section === '') continue;
    // What is deeper belongs to sections that are absent by default; the reference has them.
    const direct = members.filter(({ path }) => path.split('.').length === 2);
    lines.push(`# ${section}:`, ...direct.flatMap((setting) => settingLines(setting, section)), '');
  }
  const maps = Object.fromEntries(
    settings.filter(({ kind }) => kind === 'map').map((setting) => [setting.path, setting]),
  );
  lines.push(
    ...comment(maps['builtIn']?.description ?? '', ''),
    '# builtIn:',
    '#   sqlite:',
    '#     enabled: false',
    '',
  );
  lines.push(...comment(maps['mcpServers']?.description ?? '', ''));
  return `${lines.join('\n')}\n${serversText(servers)}\n${profiles}`;
}
