/** The page's whole style. Colours are told apart in both schemes and by colour-blind readers (after Okabe and Ito). */
export const style = `
:root{color-scheme:light dark;--paper:#fbfaf8;--card:#fff;--ink:#1d2024;--muted:#62676e;--line:#e3e1dc;--soft:#f2f0ec;
--passed:#0a7a5c;--failed:#bf3a16;--flaky:#946200;--skipped:#6d7279;--infra:#8a3f8f;--incomplete:#3e6390;--cut:#fff;--dot:#2f6690;
--image:#c9c4b8;--acquire:#6ba3c8;--deploy:#d9a441;--scenarios:#2f7f6b;--benchmarks:#2f5f94;--collect:#b98bb0;--release:#8c8c8c}
@media (prefers-color-scheme:dark){:root{--paper:#15171a;--card:#1c1f23;--ink:#e8e6e1;--muted:#9aa0a8;--line:#31353b;--soft:#24282d;
--passed:#4fc3a1;--failed:#ff8a65;--flaky:#e6b450;--skipped:#9aa0a8;--infra:#d59ad9;--incomplete:#8db4e2;--cut:#15171a;--dot:#7fb6dd;
--image:#5d5a52;--acquire:#5b93b8;--deploy:#c18f34;--scenarios:#3f9c84;--benchmarks:#4f7fb8;--collect:#9d6f95;--release:#6f6f6f}}
*{box-sizing:border-box}html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:48px 32px 96px}
.defs{position:absolute}.sign{width:1em;height:1em;vertical-align:-.12em;flex:none;overflow:visible}
.sign .fill,.sign use{fill:currentColor}.fill{fill:currentColor}.cut{fill:none;stroke:var(--cut);stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.line{fill:none;stroke:currentColor;stroke-width:1.6;stroke-linecap:round}.dashed{stroke-dasharray:2.6 2.6}
.v-passed{color:var(--passed)}.v-failed{color:var(--failed)}.v-flaky{color:var(--flaky)}.v-infra,.v-emulator{color:var(--infra)}.v-incomplete{color:var(--incomplete)}.v-skipped,.v-unsupported{color:var(--skipped)}
.b-passed{--edge:var(--passed)}.b-failed{--edge:var(--failed)}.b-flaky{--edge:var(--flaky)}.b-infra,.b-emulator{--edge:var(--infra)}.b-incomplete{--edge:var(--incomplete)}.b-skipped,.b-unsupported{--edge:var(--line)}
h1,h2,h3,h4,p,dl,dd,ul{margin:0}a{color:inherit}small,.muted,.details,.remark{color:var(--muted);font-size:13px;font-weight:400}
.eyebrow{font-weight:600}.eyebrow span{color:var(--muted);font-weight:400;margin-left:8px}
h1{display:flex;align-items:center;gap:.32em;font-size:44px;line-height:1.15;font-weight:680;letter-spacing:-.022em;margin:6px 0 10px}h1 .sign{width:.82em;height:.82em}
.lead{color:var(--muted);max-width:70ch}
h2{font-size:22px;font-weight:650;letter-spacing:-.012em;margin:64px 0 14px}h3{font-size:16px;font-weight:650;margin:28px 0 6px}h4{font-size:14px;font-weight:600;margin:18px 0 4px}
.counts{display:flex;flex-wrap:wrap;gap:12px 36px;margin:28px 0 26px}.counts div{display:flex;flex-direction:column-reverse}
.counts dd{font-size:30px;line-height:1.1;font-weight:620;letter-spacing:-.02em}.counts dt{font-size:13px;color:var(--muted)}.counts .plain{color:var(--ink)}
nav{display:flex;flex-wrap:wrap;gap:4px 20px;border-top:1px solid var(--line);border-bottom:1px solid var(--line);padding:9px 0;font-size:14px}nav a{text-decoration:none;color:var(--muted)}nav a:hover{color:var(--ink);text-decoration:underline}nav b{color:var(--failed)}
table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600}td,th{vertical-align:top;padding:7px 14px 7px 0}thead th{color:var(--muted);font-size:13px;font-weight:500;border-bottom:1px solid var(--line)}
.figure{text-align:right;white-space:nowrap}td:last-child,th:last-child{padding-right:0}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px}code{overflow-wrap:anywhere}
.verdict .sign{position:relative;top:.12em}.verdict{display:inline-flex;align-items:baseline;gap:.45em;font-weight:600;white-space:nowrap}.tag{border:1px solid var(--line);border-radius:4px;padding:0 5px;font-size:12px;white-space:nowrap}
.matrix{table-layout:fixed;border-collapse:separate;border-spacing:8px;margin:0 -8px;width:calc(100% + 16px)}.matrix .corner,.matrix tbody th{width:15%}.matrix thead th{border:0;padding:0 14px}.matrix thead th:first-child{padding-left:0}
.matrix tbody th{padding:11px 8px 11px 0}.matrix tbody th small{display:block}.cell{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--edge);border-radius:6px;padding:10px 14px!important}
.cell a{text-decoration:none}.cell a:hover{text-decoration:underline}.details{margin-top:2px}.reason{font-size:13px;margin-top:4px;overflow-wrap:anywhere}.none{color:var(--muted);font-size:13px;padding:11px 14px!important;border:1px dashed var(--line);border-radius:6px}
.failure{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--edge);border-radius:6px;padding:16px 20px;margin:0 0 14px}.failure h3{margin:2px 0 8px;font-size:17px;line-height:1.35;overflow-wrap:anywhere}.failure h3 .sign{color:var(--edge);margin-right:.15em}
.failure>p{margin:6px 0}.failure>.control{margin:10px 0}.where{font-size:13px;font-weight:600;margin:0!important}.where span{color:var(--muted);font-weight:400;margin-left:6px}.message{white-space:pre-wrap;overflow-wrap:anywhere}.hint::before{content:"Next: ";font-weight:600}.hint,.control{overflow-wrap:anywhere}
.control{border-left:2px solid var(--line);padding-left:12px}.run{display:flex;flex-wrap:wrap;gap:2px 10px;font-size:13px;margin-top:10px!important}.run span{color:var(--muted)}.run code{user-select:all;background:var(--soft);border-radius:4px;padding:1px 7px}
pre{margin:8px 0;padding:11px 14px;background:var(--soft);border-radius:6px;overflow-x:auto;line-height:1.45;max-height:440px}.diff span{display:block;min-height:1.45em}.plus{color:var(--passed)}.minus{color:var(--failed)}
.console{background:#16191c;color:#d6d9dc;border:1px solid var(--line)}details{margin:6px 0}summary{cursor:pointer;padding:3px 0}summary .verdict{min-width:8.8em}#tests>details,#facts>details{border-bottom:1px solid var(--line);margin:0;padding:5px 0}
.plain td,.plain th{padding:5px 14px 5px 0;border-top:1px solid var(--line);font-size:14px}.plain th{font-weight:500;width:7em}.plain tr:first-child>*{border-top:0}.tests td:first-child{width:8.6em}.tests td{overflow-wrap:anywhere}
.note{border-left:2px solid var(--flaky);padding-left:12px;margin:8px 0;font-size:14px;max-width:80ch}
.timing{margin-top:10px;table-layout:fixed}.timing thead th:nth-child(1){width:15%}.timing thead th:nth-child(2){width:31%}.timing thead th:nth-child(3){width:10%}.timing thead th:nth-child(4){width:16%}.timing thead th:nth-child(5){width:16%}.timing thead th:nth-child(6){width:12%}.timing .title th{padding:18px 0 3px;font-size:15px;border-bottom:1px solid var(--line)}.timing tbody:first-of-type .title th{padding-top:10px}.timing tbody th{white-space:nowrap;font-weight:500;padding-top:8px}.timing tbody th small{display:block}.timing .title small{display:inline!important;margin-left:6px}
.timing td{padding-top:8px}.strip svg{display:block;overflow:visible}.axis{stroke:var(--line)}.dot{fill:var(--dot);opacity:.35}svg .interval{fill:var(--dot);opacity:.45}svg .median{stroke:var(--ink);stroke-width:2}.timing td.median{font-weight:620}.not-comparable,.ratio.control{color:var(--muted);border:0;padding-left:0}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;padding:0;margin-bottom:8px;font-size:13px}.legend svg{vertical-align:-1px}.durations th{font-weight:500;white-space:nowrap;width:1%}.durations .figure{width:1%}.bar svg{display:block;border-radius:3px}.phases{font-size:12px;color:var(--muted);margin-top:2px}
.s-image{fill:var(--image)}.s-acquire{fill:var(--acquire)}.s-deploy{fill:var(--deploy)}.s-tests{fill:var(--scenarios)}.s-scenarios{fill:var(--scenarios)}.s-benchmarks{fill:var(--benchmarks)}.s-collect{fill:var(--collect)}.s-release{fill:var(--release)}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:3px 22px;margin:6px 0 14px;font-size:14px}.facts dt{color:var(--muted)}.facts dd{overflow-wrap:anywhere}
@media (max-width:720px){body{font-size:14.5px}main{padding:24px 16px 64px}h1{font-size:34px}h2{margin-top:44px}.counts{gap:12px 24px}.counts dd{font-size:25px}
.matrix,.matrix thead,.matrix tbody{display:block;margin:0;width:auto}.matrix tr{display:grid;gap:6px;margin-bottom:10px}.cols-1 tr{grid-template-columns:1fr}.cols-2 tr{grid-template-columns:1fr 1fr}.cols-3 tr{grid-template-columns:repeat(3,minmax(0,1fr))}
.matrix thead tr{margin:0}.matrix .corner{display:none}.matrix thead th,.matrix thead th:first-child{padding:0 0 0 8px}.matrix tbody th{grid-column:1/-1;padding:8px 0 0;width:auto}.matrix tbody th small{display:inline}.cell,.none{padding:7px 6px!important;font-size:13px}.cell .details,.reason{font-size:12px}.matrix .verdict{font-size:12.5px;gap:.3em;letter-spacing:-.03em}
.failure{padding:13px 14px}.timing,.timing tbody{display:block}.timing thead{display:none}.timing tr{display:grid;grid-template-columns:1fr auto;gap:0 10px;padding:7px 0;border-bottom:1px solid var(--line)}.timing tr.title{border:0;padding:0}.timing .title th{border:0;padding:14px 0 0;white-space:normal}.timing td,.timing tbody th{padding:0}
.timing tbody th small{display:inline;margin-left:4px}.timing td.median{grid-column:2;grid-row:1}.timing .strip{grid-column:1/-1;width:auto}.timing .interval{text-align:left;color:var(--muted);font-size:13px}.timing .ratio,.timing .speed{font-size:13px}.timing .speed{grid-column:1/-1;text-align:left;color:var(--muted)}
.durations,.durations tbody{display:block}.durations tr{display:grid;grid-template-columns:1fr auto;margin-bottom:8px}.durations th{width:auto;padding:0}.durations .bar{grid-column:1/-1;grid-row:2;padding:2px 0 0}.durations td.figure{width:auto;padding:0}
.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:6px}.tests td:first-child{width:7.2em}.plain td,.plain th{padding-right:8px}}
@media print{body{background:#fff}nav{display:none}.failure,.cell{break-inside:avoid}}
`.trim();
