/** What a filter finds: how many, the table, its columns, and the pages before and after. */

import { button, el, select } from "./dom.js";
import { chooser, table, writer } from "./table.js";

const SIZES = [25, 50, 100];

/**
 * `state` is {columns, sort, size, cursors}: `cursors` has that of each page up to the one that is shown. `ask` is called
 * when another page is wanted, after the state has changed.
 */
export function results({ catalog, entity, me }, state, ask) {
  const of = catalog.entity(entity);
  const write = writer(catalog, me.workspace);
  const count = el("p", { className: "count", role: "status" });
  const rows = el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "What the filter finds" });
  const pager = el("div", { className: "pager" });
  const columns = el("details", {});
  const element = el("section", { className: "card results", "aria-label": "Results" },
    el("div", { className: "over" }, count, columns), rows, pager);

  /** Something else is shown: from its first page. */
  function change(to) {
    Object.assign(state, to, { cursors: [undefined] });
    ask();
  }

  function turned(told) {
    const first = (state.cursors.length - 1) * state.size;
    const said = told.data.length ? `${(first + 1).toLocaleString()}–${(first + told.data.length).toLocaleString()} of ${told.count.value.toLocaleString()}` : "";
    const sizes = SIZES.map((n) => [String(n), `${n} a page`]);
    const previous = () => { state.cursors.pop(); ask(); };
    const next = () => { state.cursors.push(told.page.next); ask(); };
    pager.replaceChildren(el("span", {}, said),
      select("Rows of a page", sizes, String(state.size), (size) => change({ size: Number(size) })),
      button("Previous", previous, { disabled: state.cursors.length === 1 }),
      button("Next", next, { disabled: told.page.next === null }));
  }

  return {
    element,

    /** A page as the service answered it. */
    draw(told) {
      const shown = state.columns.map((path) => catalog.column(entity, path)).filter(Boolean);
      count.textContent = `${told.count.value.toLocaleString()} ${told.count.value === 1 ? of.singular : entity}`;
      rows.replaceChildren(told.data.length
        ? table(shown, told.data, state.sort, write, (sort) => change({ sort }), `${entity} that the filter finds`)
        : el("p", { className: "nothing" }, `No ${entity} are like this.`));
      const others = chooser(shown, catalog.columns(entity), (paths) =>
        change({ columns: paths, sort: state.sort.filter((one) => paths.includes(one.replace("-", ""))) }));
      columns.replaceChildren(el("summary", {}, "Columns"), others);
      turned(told);
    },

    busy(on) {
      if (on) element.setAttribute("aria-busy", "true");
      else element.removeAttribute("aria-busy");
      pager.inert = on;
    },

    /** Whether what is shown is of another question than the one that stands above. */
    stale: (on) => element.classList.toggle("stale", on),
  };
}
