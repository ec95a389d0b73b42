/** Saved lists: found, opened, and saved in a dialog. */

import { el, button, labelled, select } from "./dom.js";

const VISIBLE = [["private", "only I see it"], ["public", "everybody in the workspace sees it"]];

/** Options for a combobox: the lists of an entity in whose name the words are. */
export async function found(api, entity, words) {
  const { told } = await api.get("/v1/lists", { entity, search: words || undefined, limit: 50 });
  return told.data.filter((one) => one.criteria).map((one) =>
    ({ value: one.id, label: one.name, hint: one.description, group: one.favourite ? "favourites" : one.folder ?? "" }));
}

/** Asks for name and visibility, and calls `save` with them; what it throws is shown beside the field that it is about. */
export function saving({ name, visibility, title }, save) {
  const naming = el("input", { type: "text", required: true, maxLength: 200, value: name });
  const seen = select("Who sees it", VISIBLE, visibility);
  const wrong = el("p", { className: "problem error", role: "alert", hidden: true });
  const submit = el("button", { type: "submit", className: "primary" }, "Save");
  const form = el("form", { method: "dialog" }, el("h2", {}, title), labelled("Name", naming), labelled("Who sees it", seen), wrong,
    el("div", { className: "foot" }, button("Cancel", () => dialog.close()), submit));
  const dialog = el("dialog", { "aria-label": title, onclose: () => dialog.remove() }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await save({ name: naming.value.trim(), visibility: seen.value });
      dialog.close();
    } catch (error) {
      wrong.hidden = false;
      wrong.textContent = error.status === 412 ? "Somebody else has changed this list: open it again, and save then." : error.message;
    }
    submit.disabled = false;
  });
  document.body.append(dialog);
  dialog.showModal();
  naming.select();
}

/** Inputs for the values of a list's parameters. */
export function asked(params, values, changed) {
  const types = { number: "number", date: "date", bool: "checkbox" };
  return params.map((param) => {
    const input = el("input", { type: types[param.type] ?? "text", value: values[param.name] ?? "", checked: values[param.name] === true, step: "any" });
    input.addEventListener("change", () => {
      values[param.name] = param.type === "bool" ? input.checked : param.type === "number" && input.value ? Number(input.value) : input.value || null;
      changed();
    });
    return labelled(param.name, input);
  });
}

/** A tree with its parameters' values in their place: questions that are no saved list have none. */
export function bound(tree, values) {
  if (Array.isArray(tree)) return tree.map((one) => bound(one, values));
  if (typeof tree !== "object" || tree === null) return tree;
  if (tree.ref === "param") return values[tree.name];
  return Object.fromEntries(Object.entries(tree).map(([name, inner]) => [name, bound(inner, values)]));
}
