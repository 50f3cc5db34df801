/**
 * The style of the page. It is inline, so that the page is one file, and its hash is in the page's policy.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --back: light-dark(#ffffff, #14161a);
  --raised: light-dark(#f6f7f9, #1c1f25);
  --line: light-dark(#d9dde3, #343a44);
  --text: light-dark(#1c2129, #e4e7ec);
  --quiet: light-dark(#59616d, #a3abb8);
  --link: light-dark(#0b57c2, #86b4ff);
  --get: light-dark(#1b6e3c, #6fd08f);
  --post: light-dark(#0b57c2, #86b4ff);
  --patch: light-dark(#8a5300, #f0b35a);
  --delete: light-dark(#b3261e, #ff8f86);
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
.all { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 76rem; margin: 0 auto; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem; font-size: .8125rem; }
nav h2 { margin: 1rem 0 .25rem; font-size: .8125rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .2rem 0; color: var(--quiet); text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { color: var(--link); }
main { padding: 1.5rem 1rem 4rem; min-width: 0; }
h1 { font-size: 1.75rem; margin: 0; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem; }
h3 { font-size: .9375rem; margin: 1.25rem 0 .25rem; }
p { margin: .5rem 0; max-width: 48rem; }
a { color: var(--link); }
.quiet { color: var(--quiet); }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .8125rem; }
code { overflow-wrap: anywhere; }
pre { margin: .25rem 0; padding: .75rem; background: var(--back); border: 1px solid var(--line);
  border-radius: .375rem; overflow-x: auto; white-space: pre; }
pre.copy { user-select: all; -webkit-user-select: all; white-space: pre-wrap; overflow-wrap: anywhere; }
details.route { margin: .5rem 0; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); }
details.route > summary { display: flex; flex-wrap: wrap; gap: .1rem .75rem; align-items: baseline;
  padding: .6rem .875rem; cursor: pointer; list-style: none; }
details.route > summary::-webkit-details-marker { display: none; }
details.route > summary::before { content: "+"; color: var(--quiet); width: .6rem; }
details.route[open] > summary::before { content: "\\2212"; }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.inside { padding: 0 .875rem .875rem; border-top: 1px solid var(--line); scroll-margin-top: 4rem; }
.method { min-width: 3.5rem; font-weight: 700; font-size: .8125rem; }
.get { color: var(--get); } .post { color: var(--post); } .patch { color: var(--patch); } .delete { color: var(--delete); }
.path { font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--quiet); font-weight: 400; }
td:first-child { white-space: nowrap; }
td p { margin: 0; }
details.more > summary { cursor: pointer; color: var(--quiet); font-size: .875rem; margin-top: .75rem; }
@media (max-width: 48rem) {
  .all { display: block; }
  nav { display: none; }
  td:first-child { white-space: normal; }
  td:first-child code { overflow-wrap: break-word; }
}
@media print { nav { display: none; } .all { display: block; } }
`;
