/** The environment of a child: a short list that programs need to run at all, and what its own config adds. */

/** Upper case, because Windows knows `Path` and `PATH` as one. Nothing here may carry a credential. */
const inherited = new Set([
  'HOME',
  'LANG',
  'LANGUAGE',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TERM',
  'TMPDIR',
  'TZ',
  'USER',
  // Windows programs fail without these.
  'ALLUSERSPROFILE',
  'APPDATA',
  'COMMONPROGRAMFILES',
  'COMMONPROGRAMFILES(X86)',
  'COMSPEC',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'NUMBER_OF_PROCESSORS',
  'OS',
  'PATHEXT',
  'PROCESSOR_ARCHITECTURE',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'PROGRAMFILES(X86)',
  'PUBLIC',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'TEMP',
  'TMP',
  'USERDOMAIN',
  'USERNAME',
  'USERPROFILE',
  'WINDIR',
  // Where tools keep their caches and data, and the trust anchors of a company's own proxy.
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_RUNTIME_DIR',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
]);

/** The variables a child gets; `own` wins over what is inherited. A function exported by bash is never passed on. */
export function childEnvironment(
  own: Readonly<Record<string, string>>,
  parent: NodeJS.ProcessEnv,
): Record<string, string> {
  const env: Record<string, string> = {};
  const isOwn = new Set(Object.keys(own).map((name) => name.toUpperCase()));
  for (const [name, value] of Object.entries(parent)) {
    const known = name.toUpperCase();
    if (value === undefined || value.startsWith('()')) continue;
    const isWanted = inherited.has(known) || known.startsWith('LC_');
    // On Windows `Path` of the parent and `PATH` of the config must not both arrive.
    if (isWanted && !(process.platform === 'win32' && isOwn.has(known))) env[name] = value;
  }
  return { ...env, ...own };
}
