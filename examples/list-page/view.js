/** One list, saved or not: its filter above, what that finds below. */

import { Problem } from "./api.js";
import { builder } from "./builder.js";
import { button, calm, el } from "./dom.js";
import { asked, bound, found, saving } from "./lists.js";
import { results } from "./results.js";

/** Draws into `content`. `page` is {api, me, catalog, entity, signIn}; `opened` a saved list with its ETag, or null. */
export function view(content, page, opened) {
  const { api, me, catalog, entity } = page;
  const of = catalog.entity(entity);
  let { told: list, etag } = opened ?? { told: null };
  let asking = new AbortController();
  const values = Object.fromEntries((list?.params ?? []).map((one) => [one.name, one.default]));
  const state = { columns: list?.columns ?? of.columns, sort: list?.sort ?? [], size: 25, cursors: [undefined] };

  const english = el("p", { className: "english", "aria-live": "polite" });
  const notes = el("div", { className: "notes" });
  const mine = el("input", { type: "checkbox", checked: list?.mine ?? false, onchange: () => changed() });
  const context = {
    api, catalog, entity, currency: me.workspace.currency, params: () => list?.params ?? [],
    lists: (name, words) => found(api, name, words),
  };
  const filter = builder(context, list?.criteria.tree.filter, calm(() => changed()));
  const shown = results(page, state, () => {
    const tree = filter.read();
    if (tree !== undefined) trying((signal) => read(tree, signal));
  });
  const title = titled(me, entity, (another) => keep(another));

  content.replaceChildren(
    title.element,
    list?.state === "broken" ? el("p", { className: "problem error", role: "alert" }, list.reason) : "",
    el("section", { className: "card", "aria-label": "Filter" }, english,
      el("div", { className: "params" }, asked(list?.params ?? [], values, () => changed())), filter.element, notes,
      of.mine ? el("label", { className: "mine" }, mine, `only those whose ${catalog.column(entity, of.mine).label} is me`) : ""),
    shown.element);

  /** Something else is asked: what is wrong with it, what it says, then the first page of what it finds. */
  async function changed() {
    const tree = filter.read();
    notes.replaceChildren();
    shown.stale(tree === undefined);
    if (tree === undefined) {
      asking.abort();
      filter.show([]);
      shown.busy(false);
      english.textContent = "A condition is not finished yet.";
      return;
    }
    state.cursors = [undefined];
    await trying(async (signal) => {
      const { told } = await api.ask("/v1/criteria/check", { entity, criteria: tree, params: values }, signal);
      const elsewhere = filter.show(told.problems);
      notes.replaceChildren(...elsewhere.map((one) => el("p", { className: `problem ${one.severity}` }, one.message)));
      english.textContent = told.english ?? "This cannot be asked yet: see what is marked.";
      shown.stale(!told.ok);
      if (told.ok) await read(tree, signal);
    });
  }

  /** Asks the service, in place of what is still asked, and says what fails. */
  async function trying(act) {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    shown.busy(true);
    try {
      await act(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401) {
        page.signIn(error.message);
        return;
      }
      const said = error instanceof Problem ? error.message : "The service does not answer.";
      notes.replaceChildren(el("p", { className: "problem error", role: "alert" }, `${said} `, button("Try again", () => changed())));
      shown.stale(true);
    }
    if (!signal.aborted) shown.busy(false);
  }

  /** The page at the last cursor: with parameters in their place, and the caller's own records where only those are wanted. */
  async function read(tree, signal) {
    const told = bound(tree, values);
    const own = { op: "cmp", of: of.mine, cmp: "eq", value: { ref: "me" } };
    const answer = await api.ask(`/v1/${entity}/query`, {
      criteria: mine.checked ? { op: "and", args: [told, own] } : told,
      fields: state.columns, sort: state.sort.length ? state.sort : undefined, limit: state.size, count: "exact", cursor: state.cursors.at(-1),
    }, signal);
    shown.draw(answer.told);
  }

  /** Saves what is shown: as the list that is open, or as another one. */
  function keep(another) {
    const tree = filter.read();
    if (tree === undefined) return;
    const change = list !== null && !another;
    const begin = { name: list ? (change ? list.name : `${list.name}, changed`) : "", visibility: list?.visibility ?? "private" };
    saving({ ...begin, title: change ? "Save this list" : "Save as a list" }, async (said) => {
      const body = { ...said, criteria: { tree }, columns: state.columns, sort: state.sort, mine: mine.checked, params: context.params() };
      const saved = change ? await api.change(`/v1/lists/${list.id}`, body, etag) : await api.create("/v1/lists", { entity, ...body });
      ({ told: list, etag } = saved);
      history.replaceState(null, "", `#${entity}/${list.id}`);
      title.show(list);
    });
  }

  title.show(list);
  changed();
}

/** The name of what is open, and what can be done with it. */
function titled(me, entity, keep) {
  const heading = el("h1");
  const badge = el("span", { className: "badge" });
  const save = button("Save", () => keep(false), { className: "primary" });
  const another = button("Save as …", () => keep(true));
  return {
    element: el("div", { className: "title" }, el("div", {}, heading, badge), el("div", { className: "acts" }, save, another)),
    show(list) {
      heading.textContent = list?.name ?? `All ${entity}`;
      badge.textContent = list?.visibility ?? "not saved";
      save.textContent = list ? "Save" : "Save as a list";
      save.hidden = list !== null && list.owner_id !== me.user_id;
      another.hidden = list === null;
      document.title = `${heading.textContent} · Lists`;
    },
  };
}
