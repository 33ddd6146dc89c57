/** The report's style sheet: follows the reader's light or dark mode. */
export const style = `
:root { color-scheme: light dark; --text: light-dark(#1c2430, #dde3ea); --quiet: light-dark(#5b6675, #8f9baa); --paper: light-dark(#fcfcfa, #14181d);
  --card: light-dark(#ffffff, #1b2027); --line: light-dark(#e4e4de, #2c333c); --added: light-dark(#e2f3e2, #17331f); --removed: light-dark(#fbe6e3, #3b1f1f);
  --weights: #3e7cb1; --caches: #d98e32; --activations: #6fa76b; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2.5rem 1.5rem; background: var(--paper); color: var(--text); font: 15px/1.55 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.9rem; letter-spacing: -0.02em; }
h2 { margin: 2.5rem 0 0.8rem; font-size: 1.1rem; }
h3 { margin: 1.2rem 0 0.6rem; font-size: 0.95rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.4rem 2rem; margin: 0.8rem 0 0; }
.facts dt { color: var(--quiet); font-size: 0.8rem; }
.facts dd { margin: 0; }
.note, .proof, .gap { color: var(--quiet); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.4rem 0.8rem; text-align: left; vertical-align: top; white-space: nowrap; }
td:last-child { white-space: normal; }
th { color: var(--quiet); font-size: 0.8rem; font-weight: 500; }
tr + tr td, thead + tbody td { border-top: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.bar { display: flex; min-width: 7rem; height: 0.8rem; margin-top: 0.35rem; border-radius: 3px; overflow: hidden; background: var(--line); }
.weights { background: var(--weights); } .caches { background: var(--caches); } .activations { background: var(--activations); }
.legend { display: flex; gap: 1.2rem; margin: 0.7rem 0; }
.legend i { display: inline-block; width: 0.8rem; height: 0.8rem; margin-right: 0.4rem; border-radius: 3px; vertical-align: -0.05rem; }
details { margin: 0.4rem 0; } summary { cursor: pointer; }
section > details { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.5rem 0.9rem; }
code { font: 12.5px ui-monospace, monospace; }
pre { overflow-x: auto; margin: 0.6rem 0; font: 12px/1.5 ui-monospace, monospace; }
.added { background: var(--added); } .removed { background: var(--removed); }
ul { margin: 0.3rem 0; padding-left: 1.2rem; }
`;
