"""How a page of advice looks: on a screen or a phone, by day or night, on paper."""

STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --soft: #59636e; --line: #d4d9df;
        --page: #f6f7f9; --card: #fff; --before: #8a939d; --after: #0b6e4f;
        --half: #cfe5dc; --warn: #8a4b00; --warn-page: #fff3dd; --shadow: #0003; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ec; --soft: #9aa4ae; --line: #39414a; --page: #14171a;
          --card: #1d2126; --before: #8f99a3; --after: #4fc79a; --half: #2b4a3f;
          --warn: #f0b357; --warn-page: #33270f; --shadow: #fff4; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text);
       background: var(--page); max-width: 60rem; margin: 0 auto;
       padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 0.3rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 0.6rem; }
h3, h4 { margin: 0; font-size: 1.05rem; }
h4 { font-size: 0.95rem; margin: 1rem 0 0.4rem; }
p { margin: 0.4rem 0; }
.soft, figcaption { color: var(--soft); font-size: 0.875rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
        padding: 1rem; margin: 0 0 1rem; }
.head { display: flex; flex-wrap: wrap; gap: 0.2rem 0.8rem; align-items: baseline; }
.head .wanted { margin-left: auto; }
.badge { border: 1px solid currentColor; border-radius: 1rem; font-size: 0.8rem;
         padding: 0 0.5rem; font-weight: 400; white-space: nowrap; }
.doubt, .note { color: var(--warn); }
.note { background: var(--warn-page); border-radius: 4px; padding: 0.3rem 0.6rem;
        font-size: 0.9rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr));
     gap: 0.6rem 1rem; margin: 0.6rem 0; }
dt { color: var(--soft); font-size: 0.8rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.change { display: grid; grid-template-columns: minmax(8rem, 1fr) minmax(10rem, 1.3fr)
          320px; gap: 0.2rem 1rem; align-items: center; padding: 0.4rem 0;
          border-top: 1px solid var(--line); }
.change .by { color: var(--soft); white-space: nowrap; }
.name { font-weight: 600; }
.images { display: grid; gap: 0.6rem 1rem; margin: 0.6rem 0;
          grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); }
figure { margin: 0; max-width: 12rem; }
img { display: block; width: 100%; image-rendering: pixelated;
      border: 1px solid var(--line); box-sizing: border-box; }
.wide { overflow-x: auto; --behind: var(--page);
        background:
          linear-gradient(90deg, var(--behind) 30%, transparent) 0 0 local,
          linear-gradient(270deg, var(--behind) 30%, transparent) 100% 0 local,
          linear-gradient(90deg, var(--shadow), transparent) 0 0 scroll,
          linear-gradient(270deg, var(--shadow), transparent) 100% 0 scroll;
        background-repeat: no-repeat;
        background-size: 3rem 100%, 3rem 100%, 0.8rem 100%, 0.8rem 100%; }
.card .wide { --behind: var(--card); }
table { border-collapse: collapse; font-size: 0.875rem; width: 100%;
        font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 1rem 0.3rem 0;
         border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { color: var(--soft); font-weight: 400; }
tbody th { font-weight: 600; }
details { margin-top: 0.8rem; }
summary { cursor: pointer; color: var(--soft); font-size: 0.875rem; }
svg { display: block; width: 100%; max-width: 320px; height: auto; overflow: visible; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
.range { stroke: var(--before); stroke-width: 1.5; }
.half { fill: var(--half); }
.median { stroke: var(--before); stroke-width: 1.5; }
.move { stroke: var(--after); stroke-width: 3; }
.before { fill: var(--card); stroke: var(--text); stroke-width: 2; }
.after, .bar-after { fill: var(--after); }
.track { fill: none; stroke: var(--line); }
.bar-before { fill: var(--before); }
@media (max-width: 50rem) {
  .change { grid-template-columns: 1fr; }
  .head .wanted { margin-left: 0; width: 100%; }
  th, td { white-space: normal; overflow-wrap: break-word; padding-right: 0.6rem; }
}
@media print {
  :root { color-scheme: light; --text: #000; --soft: #444; --line: #bbb; --page: #fff;
          --card: #fff; --before: #777; --after: #0b6e4f; --half: #cfe5dc;
          --warn: #8a4b00; --warn-page: #fff; }
  body { font-size: 10pt; max-width: none; padding: 0; }
  svg, img, .half, .after { print-color-adjust: exact; }
  .card, .change, .images, tr { break-inside: avoid; }
  details:not([open]) { display: none; }
  .wide { overflow: visible; background: none; }
  table { font-size: 8pt; }
  th, td { white-space: normal; overflow-wrap: normal; padding: 1pt 6pt 1pt 0; }
  .change { grid-template-columns: 1fr 1.5fr 13rem; padding: 0.1rem 0; }
  svg { max-width: 13rem; }
  h2, h4 { break-after: avoid; }
}
"""
