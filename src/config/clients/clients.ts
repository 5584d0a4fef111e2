/** The MCP clients we know: where each keeps its servers, and how it wants ours written. A new client is one row. */

import type { JsonObject } from '../../kernel/json-rpc.ts';
import type { ClientFolders } from './client-paths.ts';

/** How a client can reach the coordinator. */
export interface Reach {
  /** The MCP endpoint. */
  readonly url: string;
  /** The program that bridges stdio to it. */
  readonly bridge: { readonly command: string; readonly args: readonly string[] };
}

/** One client as a row of the table. */
export interface McpClient {
  readonly name: string;
  readonly title: string;
  /** The person's own config file. */
  readonly userFile: (folders: ClientFolders) => string;
  /** A project's config file, relative to the project, slash-separated. */
  readonly projectFile?: string;
  /** Key of the map of servers in those files. */
  readonly rootKey: 'mcpServers' | 'servers' | 'context_servers';
  readonly entry: (reach: Reach) => JsonObject;
  /** What to do in the client after its file changed. */
  readonly after: string;
}

const http = ({ url }: Reach): JsonObject => ({ type: 'http', url });
const stdio = ({ bridge }: Reach): JsonObject => ({ command: bridge.command, args: [...bridge.args] });

/** All known clients, the order is that of the help. */
export const clients: readonly McpClient[] = [
  {
    name: 'claude-desktop',
    title: 'Claude Desktop',
    userFile: ({ settings, join }) => join(settings, 'Claude', 'claude_desktop_config.json'),
    rootKey: 'mcpServers',
    entry: stdio,
    after: 'Quit Claude Desktop and open it again.',
  },
  {
    name: 'claude-code',
    title: 'Claude Code',
    userFile: ({ home, join }) => join(home, '.claude.json'),
    projectFile: '.mcp.json',
    rootKey: 'mcpServers',
    entry: http,
    after: 'Start a new Claude Code session; /mcp shows the connection.',
  },
  {
    name: 'cursor',
    title: 'Cursor',
    userFile: ({ home, join }) => join(home, '.cursor', 'mcp.json'),
    projectFile: '.cursor/mcp.json',
    rootKey: 'mcpServers',
    entry: ({ url }) => ({ url }),
    after: 'Switch the server on under Cursor Settings, MCP.',
  },
  {
    name: 'vscode',
    title: 'VS Code',
    userFile: ({ settings, join }) => join(settings, 'Code', 'User', 'mcp.json'),
    projectFile: '.vscode/mcp.json',
    rootKey: 'servers',
    entry: http,
    after: 'Run "MCP: List Servers" in VS Code and start it.',
  },
  {
    name: 'windsurf',
    title: 'Windsurf',
    userFile: ({ home, join }) => join(home, '.codeium', 'windsurf', 'mcp_config.json'),
    rootKey: 'mcpServers',
    entry: ({ url }) => ({ serverUrl: url }),
    after: 'Refresh the MCP servers in Windsurf.',
  },
  {
    name: 'zed',
    title: 'Zed',
    userFile: ({ dotConfig, join }) => join(dotConfig, 'zed', 'settings.json'),
    rootKey: 'context_servers',
    entry: (reach) => ({ source: 'custom', ...stdio(reach) }),
    after: 'Zed picks it up when the file is saved.',
  },
];

/** Names for help and errors. */
export const clientNames: readonly string[] = clients.map(({ name }) => name);
