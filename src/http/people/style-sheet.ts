/** What the pages look like: one column, light or dark as the system is, from 320 pixels on. */

export const styleSheet = `
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1a1d21; --dim: #5a6370; --line: #aab2bd; --act: #0b5cad; --on-act: #fff; --bad: #a4161a; --bad-ground: #fdecec; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --card: #1e2226; --ink: #eceff2; --dim: #a7b0ba; --line: #5a646f; --act: #7db8f5; --on-act: #0b1a2a; --bad: #ffb3b3; --bad-ground: #3d1a1c; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; padding: 1rem; display: grid; place-items: center; background: var(--ground); color: var(--ink); font: 1rem/1.6 system-ui, "Noto Sans Thai", "Leelawadee UI", Thonburi, sans-serif; }
main { width: 100%; max-width: 28rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.75rem; overflow-wrap: anywhere; }
h1 { margin: 0 0 1rem; font-size: 1.4rem; line-height: 1.35; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1.1rem; }
p { margin: 0 0 1rem; }
label { display: block; font-weight: 600; margin: 0 0 .25rem; }
input { width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .7rem; margin: 0 0 1rem; }
button, a.button { display: inline-block; width: 100%; font: inherit; font-weight: 600; text-align: center; text-decoration: none; color: var(--on-act); background: var(--act); border: 1px solid var(--act); border-radius: .4rem; padding: .6rem 1rem; cursor: pointer; }
button.quiet { color: var(--act); background: transparent; }
button + button { margin-top: .6rem; }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
a { color: var(--act); }
dl { margin: 0 0 1.25rem; }
dt { color: var(--dim); font-size: .9rem; }
dd { margin: 0 0 .6rem; }
ul { list-style: none; margin: 0 0 1rem; padding: 0; }
li { border-top: 1px solid var(--line); padding: .75rem 0; }
.dim { color: var(--dim); font-size: .9rem; }
.alert { color: var(--bad); background: var(--bad-ground); border: 1px solid var(--bad); border-radius: .4rem; padding: .6rem .8rem; }
`;
