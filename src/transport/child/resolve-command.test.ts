import { describe, expect, it } from 'vitest';
import { type CommandHost, resolveCommand } from './resolve-command.ts';

const npxShim = `@ECHO OFF
SET "NODE_EXE=%~dp0\\node.exe"
IF NOT EXIST "%NODE_EXE%" ( SET "NODE_EXE=node" )
SET "NPM_PREFIX_JS=%~dp0\\node_modules\\npm\\bin\\npm-prefix.js"
SET "NPX_CLI_JS=%~dp0\\node_modules\\npm\\bin\\npx-cli.js"
FOR /F "delims=" %%F IN ('CALL "%NODE_EXE%" "%NPM_PREFIX_JS%"') DO (
  SET "NPM_PREFIX_NPX_CLI_JS=%%F\\node_modules\\npm\\bin\\npx-cli.js"
)
IF EXIST "%NPM_PREFIX_NPX_CLI_JS%" ( SET "NPX_CLI_JS=%NPM_PREFIX_NPX_CLI_JS%" )
"%NODE_EXE%" "%NPX_CLI_JS%" %*`;
const toolShim = `@ECHO off
IF EXIST "%dp0%\\node.exe" ( SET "_prog=%dp0%\\node.exe" )
endLocal & goto #_undefined_# 2>NUL || title %COMSPEC% & "%_prog%"  "%dp0%\\..\\some-mcp\\dist\\index.js" %*`;

function windows(files: Record<string, string>): CommandHost {
  return {
    platform: 'win32',
    nodePath: 'C:\\node\\node.exe',
    isFile: (path) => path in files,
    read: (path) => files[path]!,
  };
}

const env = { Path: 'C:\\bin;C:\\node', PATHEXT: '.COM;.EXE;.BAT;.CMD' };

describe('resolveCommand', () => {
  it('leaves everything as it is where there are no batch files', () => {
    const host = { ...windows({}), platform: 'linux' as const };
    expect(resolveCommand('s', 'npx', ['-y', 'a b'], env, host)).toEqual({
      command: 'npx',
      args: ['-y', 'a b'],
    });
  });

  it('runs npx as the script that npx.cmd would start', () => {
    const script = 'C:\\node\\node_modules\\npm\\bin\\npx-cli.js';
    const host = windows({
      'C:\\node\\npx.CMD': npxShim,
      [script]: '',
      'C:\\node\\node_modules\\npm\\bin\\npm-prefix.js': '',
    });
    const resolved = resolveCommand('s', 'npx', ['-y', 'a & calc.exe', '"'], env, host);
    expect(resolved).toEqual({ command: 'C:\\node\\node.exe', args: [script, '-y', 'a & calc.exe', '"'] });
  });

  it('runs an npm-installed program as the script of its shim', () => {
    const host = windows({
      'C:\\bin\\.bin\\some-mcp.cmd': toolShim,
      'C:\\bin\\some-mcp\\dist\\index.js': '',
    });
    const resolved = resolveCommand('s', 'C:\\bin\\.bin\\some-mcp.cmd', [], env, host);
    expect(resolved).toEqual({ command: 'C:\\node\\node.exe', args: ['C:\\bin\\some-mcp\\dist\\index.js'] });
  });

  it('finds programs by PATH and PATHEXT', () => {
    const host = windows({ 'C:\\bin\\tool.EXE': '' });
    expect(resolveCommand('s', 'tool', ['x'], env, host)).toEqual({
      command: 'C:\\bin\\tool.EXE',
      args: ['x'],
    });
    expect(resolveCommand('s', 'absent', [], env, host)).toEqual({ command: 'absent', args: [] });
  });

  it('refuses any other batch file', () => {
    const host = windows({ 'C:\\bin\\start.BAT': 'echo %1' });
    expect(() => resolveCommand('s', 'start', [], env, host)).toThrow('start.BAT is a batch file');
  });
});
