/** Loaded with the bundle, like its script. The colors are Node-RED's, so that every theme works. */
const STYLE = `
#ion-sidebar { height: 100%; overflow: auto; box-sizing: border-box; padding: 8px; container-type: inline-size; }
#ion-sidebar :is(h3, h4, h5, p, ul, ol, dl, dd, figure) { margin: 0; padding: 0; }
#ion-sidebar :is(h4, h5, dt) { font-size: inherit; line-height: inherit; }
#ion-sidebar p { overflow-wrap: anywhere; }
.ion-sidebar-message { padding: 8px; color: var(--red-ui-secondary-text-color); }
.ion-card { margin-bottom: 8px; border: 1px solid var(--red-ui-secondary-border-color); border-radius: 4px; background: var(--red-ui-secondary-background); }
#ion-sidebar .ion-card > h3 { font-size: inherit; line-height: inherit; }
.ion-card-title { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: baseline; width: 100%; padding: 8px; border: none; background: none; color: inherit; font: inherit; text-align: left; }
.ion-card-title > .fa { width: 8px; transition: transform .1s; }
.ion-card-title[aria-expanded=true] > .fa { transform: rotate(90deg); }
.ion-card-name { font-weight: bold; overflow-wrap: anywhere; }
.ion-card-environment, .ion-card-kind, .ion-card-facts dt, .ion-card figcaption { color: var(--red-ui-secondary-text-color); }
.ion-card-environment { overflow-wrap: anywhere; }
.ion-card-buttons { display: flex; flex-wrap: wrap; gap: 8px; }
.ion-card-mode { padding: 0 4px; border: 1px solid currentcolor; border-radius: 3px; }
.ion-card-verdict { display: flex; gap: 8px; align-items: baseline; }
#ion-sidebar .ion-card-verdict { padding: 0 8px 8px; }
.ion-card-failed > .fa, .ion-card-error { color: var(--red-ui-text-color-error); }
.ion-card-attention > .fa { color: var(--red-ui-text-color-warning); }
.ion-card-ok > .fa { color: var(--red-ui-text-color-success); }
.ion-card-body > * { padding: 8px; border-top: 1px solid var(--red-ui-secondary-border-color); }
#ion-sidebar .ion-card-body > * { padding: 8px; }
.ion-card-facts { display: grid; grid-template-columns: minmax(90px, auto) minmax(0, 1fr); gap: 2px 8px; }
.ion-card-facts dt { font-weight: normal; }
.ion-card-facts dd { overflow-wrap: anywhere; }
.ion-card figcaption { display: flex; flex-wrap: wrap; gap: 0 10px; margin-bottom: 4px; }
.ion-card figcaption > :first-child { flex: 1 1 auto; }
.ion-card figcaption b { color: var(--red-ui-primary-text-color); font-weight: normal; }
.ion-chart { display: block; width: 100%; height: 36px; border-bottom: 1px solid var(--red-ui-secondary-border-color); }
.ion-chart-key { display: inline-block; width: 8px; height: 8px; margin-right: 4px; border-radius: 2px; }
path.ion-chart-all { fill: var(--red-ui-text-color-success); }
path.ion-chart-errors { fill: var(--red-ui-text-color-error); }
path:is(.ion-chart-p50, .ion-chart-p99) { fill: none; stroke-width: 1.5px; vector-effect: non-scaling-stroke; }
path.ion-chart-p50 { stroke: var(--red-ui-text-color-success); }
path.ion-chart-p99 { stroke: var(--red-ui-text-color-warning); }
i:is(.ion-chart-all, .ion-chart-p50) { background: var(--red-ui-text-color-success); }
i.ion-chart-errors { background: var(--red-ui-text-color-error); }
i.ion-chart-p99 { background: var(--red-ui-text-color-warning); }
#ion-sidebar ul, #ion-sidebar ol { list-style: none; }
.ion-card-codes li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 8px; margin-bottom: 4px; overflow-wrap: anywhere; }
.ion-card-codes b { font-weight: normal; }
.ion-card-codes i { grid-column: 1 / -1; height: 4px; min-width: 2px; border-radius: 2px; background: var(--red-ui-text-color-error); }
#ion-sidebar h5 { margin-top: 8px; font-weight: normal; color: var(--red-ui-secondary-text-color); }
.ion-card-writes { max-height: 300px; overflow: auto; border: 1px solid var(--red-ui-secondary-border-color); border-radius: 4px; background: var(--red-ui-form-input-background); }
.ion-card-writes li { padding: 8px; border-bottom: 1px solid var(--red-ui-secondary-border-color); }
.ion-card-writes li:last-child { border-bottom: none; }
.ion-card-users { max-height: 200px; overflow: auto; }
.ion-card-users li { display: flex; flex-wrap: wrap; gap: 0 6px; align-items: baseline; padding: 2px 0; overflow-wrap: anywhere; }
#ion-sidebar summary { cursor: pointer; }
#ion-sidebar .ion-check-head { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; justify-content: space-between; }
#ion-sidebar .ion-check-head:not(:empty) { margin: 8px 0; }
#ion-sidebar .ion-check-list li { display: grid; grid-template-columns: 16px minmax(0, 1fr); gap: 0 8px; padding: 5px 0; border-top: 1px solid var(--red-ui-secondary-border-color); align-items: baseline; }
#ion-sidebar .ion-check-list b, #ion-sidebar .ion-check-text { grid-column: 2; overflow-wrap: anywhere; }
#ion-sidebar .ion-check-list li > .fa { grid-column: 1; }
#ion-sidebar .ion-check-ok b { font-weight: normal; }
#ion-sidebar .ion-check-failed > i { color: var(--red-ui-text-color-error); }
#ion-sidebar .ion-check-ok > i { color: var(--red-ui-text-color-success); }
#ion-sidebar .ion-check-unknown > i { color: var(--red-ui-text-color-warning); }
#ion-sidebar .ion-check-advice { margin-top: 2px; padding-left: 18px; text-indent: -18px; }
#ion-sidebar .ion-check-advice > i { width: 18px; text-indent: 0; }
@container (min-width: 380px) {
  #ion-sidebar .ion-check-list li { grid-template-columns: 16px 112px minmax(0, 1fr); }
  #ion-sidebar .ion-check-list b { grid-column: 2; }
  #ion-sidebar .ion-check-text { grid-column: 3; }
}
`;

export function addStyle(): void {
  $('<style>').text(STYLE).appendTo('head');
}
