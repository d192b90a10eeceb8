"""How the page looks: readable at 390 pixels, in a light and a dark theme, as the reader's system has it."""

STYLE = """
:root { --ground: #ffffff; --panel: #f4f5f7; --ink: #1c1e21; --quiet: #5c6370; --line: #d7dae0; --accent: #0b63ce;
  --origin: #b3261e; --victim: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ground: #15171a; --panel: #1f2226; --ink: #e7e9ec; --quiet: #a3aab5;
  --line: #363b42; --accent: #7db4ff; --origin: #ff8a80; --victim: #ffca6b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin-bottom: .25rem; }
a { color: var(--accent); }
ul { padding-left: 1.25rem; margin-top: .25rem; } li { margin: .25rem 0; }
.verdict { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem 1rem; }
.verdict p { margin: .5rem 0; }
.label { display: block; color: var(--quiet); font-size: .85rem; }
.bar { height: .5rem; border-radius: .25rem; background: var(--line); }
.bar i { display: block; height: 100%; border-radius: .25rem; background: var(--accent); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line); }
td { min-width: 4.5rem; }
th, .quiet { color: var(--quiet); font-weight: normal; }
summary { cursor: pointer; color: var(--accent); }
.chain text { fill: var(--ink); font: 14px ui-monospace, monospace; }
.chain path { fill: none; stroke: var(--quiet); }
.chain .origin { fill: var(--origin); } .chain .victim { fill: var(--victim); }
"""
