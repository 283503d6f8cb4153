"""The style sheet inside every exported HTML file."""

from __future__ import annotations

STYLE = """\
:root {
  color-scheme: light dark;
  --ground: #fbfaf8; --raised: #ffffff; --text: #22252b; --quiet: #666c78; --line: #dfdcd6; --accent: #2f6f4f;
  --question: #eef3ee; --code: #f1efea; --error: #a8322d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #16181c; --raised: #1d2025; --text: #dfe2e8; --quiet: #9197a3; --line: #33373f; --accent: #7cc79f;
    --question: #1f2a25; --code: #111317; --error: #ef8a83;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 50rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
header { border-bottom: 1px solid var(--line); margin-bottom: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
article { background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; }
article { margin: 1rem 0; padding: .75rem 1rem; }
article.user { background: var(--question); }
article.note { border-style: dashed; }
article > h2 { color: var(--accent); font-size: .85rem; font-weight: 600; margin: 0 0 .25rem; }
.model, .facts, summary { color: var(--quiet); font-size: .85rem; font-weight: 400; }
.facts { margin: .25rem 0; }
.error { color: var(--error); }
.text { overflow-wrap: anywhere; }
.text > :first-child { margin-top: 0; }
.text > :last-child { margin-bottom: 0; }
.text h1 { font-size: 1.3rem; } .text h2 { font-size: 1.15rem; } .text h3 { font-size: 1.05rem; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: .35rem; }
pre { overflow-x: auto; padding: .6rem .8rem; }
code { font: .88em/1.5 ui-monospace, monospace; }
:not(pre) > code { background: var(--code); border-radius: .2rem; padding: .1em .3em; }
blockquote { border-left: 3px solid var(--line); color: var(--quiet); margin-left: 0; padding-left: 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; }
details { border-left: 3px solid var(--line); margin: .5rem 0; padding-left: .75rem; }
summary { cursor: pointer; }
img { border-radius: .35rem; display: block; height: auto; margin: .5rem 0; max-width: 100%; }
a { color: var(--accent); }
@media print { article { break-inside: avoid; } details:not([open]) > :not(summary) { display: none; } }
"""
