/** The table: columns with headers that sort, cells by kind, and a page at a time. */

import { combobox } from "./combobox.js";
import { button, el, sign } from "./dom.js";

const NUMBERS = ["number", "integer", "money"];

/** What stands at a path of a row: `csm.name` within its `csm`. */
const at = (row, path) => path.split(".").reduce((within, name) => within?.[name], row);

/** How values of a column are written here, by the workspace's currency and zone. */
export function writer(catalog, workspace) {
  const money = new Intl.NumberFormat(undefined, { style: "currency", currency: workspace.currency, maximumFractionDigits: 0 });
  const cents = new Intl.NumberFormat(undefined, { style: "currency", currency: workspace.currency });
  const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
  const instant = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: workspace.zone });
  return (column, value) => {
    if (value === null || value === undefined) return null;
    if (column.kind === "money") return Number.isInteger(value) ? money.format(value) : cents.format(value);
    if (column.kind === "number" || column.kind === "integer") return number.format(value);
    if (column.kind === "date") return day.format(new Date(value));
    if (column.kind === "instant") return instant.format(new Date(value));
    if (column.kind === "bool") return value ? "yes" : "no";
    const names = new Map(catalog.choices(column) ?? []);
    return [value].flat().map((one) => names.get(one) ?? String(one)).join(", ");
  };
}

/** A table of these rows. `sort` is as the service has it (`-arr`); `onsort` is told the next one. */
export function table(columns, rows, sort, write, onsort, caption) {
  return el("table", {},
    el("caption", { className: "unseen" }, caption),
    el("thead", {}, el("tr", {}, columns.map((column) => header(column, sort, onsort)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, columns.map((column) => cell(column, row, write))))));
}

function header(column, sort, onsort) {
  const of = sort.find((one) => one.replace("-", "") === column.path);
  const state = of === undefined ? "none" : of.startsWith("-") ? "descending" : "ascending";
  const next = { none: [column.path], ascending: [`-${column.path}`], descending: [] }[state];
  const arrow = el("span", { className: "arrow", "aria-hidden": "true" }, { none: "", ascending: "↑", descending: "↓" }[state]);
  const inner = column.sortable ? button("", () => onsort(next), { className: "by" }) : el("span", {});
  inner.append(column.label[0].toUpperCase() + column.label.slice(1), arrow);
  return el("th", { scope: "col", "aria-sort": column.sortable ? state : null, title: column.path,
    className: NUMBERS.includes(column.kind) ? "numeric" : "" }, inner);
}

function cell(column, row, write) {
  const text = write(column, at(row, column.answered_as));
  return el("td", { className: NUMBERS.includes(column.kind) ? "numeric" : "" },
    text === null ? el("span", { className: "empty", title: "empty" }, "–") : text);
}

/** The columns that are shown, to take away and to add to. */
export function chooser(columns, all, onchange) {
  const shown = new Set(columns.map((one) => one.path));
  const paths = [...shown];
  const options = all.filter((one) => !shown.has(one.path))
    .map((one) => ({ value: one.path, label: one.label, group: one.group, hint: one.description }));
  return el("div", { className: "columns" },
    el("span", { className: "chips" }, columns.map((one) => el("span", { className: "chip" }, one.label,
      columns.length > 1 ? sign("×", `Remove column ${one.label}`, () => onchange(paths.filter((path) => path !== one.path))) : null))),
    combobox({ label: "Add a column", options, placeholder: "add a column …", keep: false, onpick: (one) => onchange([...paths, one.value]) }).element);
}
