/** How the page looks, by day and by night, on a wide screen and on a phone. One colour a server, holdfast's first. */

const day = ['#1f6feb', '#b3590a', '#1a7f4b', '#8250df', '#0f7c85', '#bf3989', '#6b7280'];
const night = ['#58a6ff', '#f0a35e', '#56c98a', '#bc8cff', '#4fd1c5', '#ff8fc7', '#a1a8b3'];

/** Colours repeat when there are more servers than colours: each bar has its name beside it. */
/** @param {number} index of a server */
export const colour = (index) => `s${index % day.length}`;

const variables = (/** @type {string[]} */ colours) =>
  colours.map((value, i) => `--s${i}:${value}`).join(';');
const classes = day.map((_, i) => `.s${i}{fill:var(--s${i});stroke:var(--s${i})}`).join('\n');

export const style = `
:root{color-scheme:light dark;--paper:#fff;--card:#f6f8fa;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;
--good:#1a7f37;--bad:#b42318;--even:#8a5a00;${variables(day)}}
@media (prefers-color-scheme:dark){:root{--paper:#0f1318;--card:#171c23;--ink:#e6edf3;--soft:#9aa4af;--line:#30363d;
--good:#4ac26b;--bad:#ff7b72;--even:#e3b341;${variables(night)}}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1400px;padding:1rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;margin:.5rem 0}
h2{font-size:1.25rem;margin:2.5rem 0 .25rem;border-top:1px solid var(--line);padding-top:1rem}
h3{font-size:.95rem;margin:0 0 .25rem}
p,ul{margin:.25rem 0 .75rem;max-width:75ch}
.soft{color:var(--soft)}
nav a{display:inline-block;margin-right:1rem;white-space:nowrap;color:var(--s0)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;list-style:none}
.legend svg{width:.8rem;height:.8rem;margin-right:.35rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr));gap:.75rem}
.wide{grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr))}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.75rem;margin:0;min-width:0}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--ink);font:11px system-ui,sans-serif;stroke:none}
svg .soft{fill:var(--soft)}
svg .rule{stroke:var(--line);fill:none}
svg .one{stroke:var(--soft);fill:none}
svg .goal{stroke:var(--ink);stroke-width:2;stroke-dasharray:3 2}
svg .light{opacity:.4}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{padding:.3rem .6rem;white-space:nowrap;border-bottom:1px solid var(--line);text-align:left}
thead th{background:var(--card);color:var(--soft);font-weight:600}
tbody tr:last-child td{border-bottom:0}
.figure{text-align:right;font-variant-numeric:tabular-nums}
.met{color:var(--good);font-weight:600}
.missed{color:var(--bad);font-weight:600}
.within-noise{color:var(--even);font-weight:600}
.warning{border-left:4px solid var(--even);padding-left:.75rem}
${classes}
`;
