/** Criteria as groups of conditions, nested as one likes; what cannot be drawn is kept as it is. */

import { LEFT_OUT } from "./catalog.js";
import { condition } from "./condition.js";
import { button, el, select, sign } from "./dom.js";

const JOINS = [["and", "all of these hold"], ["or", "any of these holds"], ["not or", "none of these holds"], ["not and", "not all of these hold"]];

/** How a tree is joined: {join, args}; a condition alone is a group of one. */
function joined(tree) {
  if (!tree || tree.op === "all") return { join: "and", args: [] };
  if (tree.op === "and" || tree.op === "or") return { join: tree.op, args: tree.args };
  return { join: "and", args: [tree] };
}

/** Whether a tree is a group by itself: `not` before a condition makes a group of one. */
function grouped(tree) {
  if (tree.op === "and" || tree.op === "or") return joined(tree);
  if (tree.op !== "not" || tree.arg.op === "all") return null;
  const inner = joined(tree.arg);
  return { ...inner, join: `not ${inner.args.length === 1 && tree.arg.op !== "and" ? "or" : inner.join}` };
}

/**
 * The whole builder. `context` is {catalog, api, entity, currency, params, lists}: `params()` are the list's
 * parameters, `lists(entity, words)` finds saved lists.
 * `read()` gives a tree, undefined while something is unfinished; `show(problems)` puts each at the element that its
 * pointer names, and gives back the others.
 */
export function builder(context, tree, changed) {
  context.places = new Map();
  context.group = (entity, inner, told) => where(context, entity, inner, told);
  const whole = group(context, context.entity, joined(tree), changed, null);
  whole.element.classList.add("whole");
  return {
    element: whole.element,
    add: whole.add,
    read() {
      context.places.clear();
      return whole.read("/criteria", true);
    },
    show: (problems) => show(context.places, problems, whole.element),
  };
}

function group(context, entity, { join, args }, changed, removed) {
  const items = [];
  const held = el("div", { className: "items" });
  const joins = select("How these conditions are joined", JOINS, join, changed);
  const empty = el("p", { className: "hint" });
  const element = el("div", { className: "group", role: "group", "aria-label": "Conditions" });

  function hold(made) {
    const slot = el("div", { className: "item" }, made.element);
    const item = { ...made, slot };
    const remove = () => {
      items.splice(items.indexOf(item), 1);
      slot.remove();
      settle();
      changed();
    };
    slot.append(sign("×", made.name ?? "Remove this condition", remove));
    items.push(item);
    held.append(slot);
    settle();
    return item;
  }

  /** A group is a group however few it holds; how they are joined matters from two on. */
  function settle() {
    const plain = items.length < 2 && joins.value === "and";
    joins.parentElement?.classList.toggle("idle", plain && !removed);
    empty.textContent = items.length ? "" : `No condition yet: ${removed ? "add one, or remove the group." : `all ${entity} are meant.`}`;
  }

  function draw(tree) {
    const inner = grouped(tree);
    const made = condition(context, entity, tree, changed);
    if (made) hold(made);
    else if (inner) hold({ ...group(context, entity, inner, changed, true), name: "Remove this group" });
    else hold(kept(context, entity, tree));
  }

  const add = button("Add a condition", () => hold(condition(context, entity, null, changed)).focus(), { className: "add" });
  const nest = button("Add a group", () => {
    const inner = group(context, entity, { join: "or", args: [] }, changed, true);
    hold({ ...inner, name: "Remove this group" });
    inner.add.focus();
    changed();
  }, { className: "add" });
  element.append(el("div", { className: "head" }, joins), held, empty, el("div", { className: "foot" }, add, nest));
  args.forEach(draw);
  joins.addEventListener("change", settle);
  settle();
  return {
    element,
    add,
    read(pointer, root = false) {
      context.places.set(pointer, element);
      if (!items.length) return root ? { op: "all" } : undefined;
      const denied = joins.value.startsWith("not ");
      const inner = denied ? `${pointer}/arg` : pointer;
      const told = items.map((item, at) => item.read(`${inner}/args/${at}`));
      if (told.includes(undefined)) return undefined;
      const tree = { op: joins.value.replace("not ", ""), args: told };
      return denied ? { op: "not", arg: tree } : tree;
    },
  };
}

/** Which related records are meant: nothing until somebody asks for it. */
function where(context, entity, tree, changed) {
  const element = el("div", { className: "where" });
  let inner = null;

  function begin(of) {
    inner = group(context, entity, of, changed, true);
    const remove = sign("×", "Remove what they have to meet", () => {
      inner = null;
      element.replaceChildren(ask);
      changed();
    });
    element.replaceChildren(el("div", { className: "item" }, inner.element, remove));
  }

  const ask = button(`which ${entity} …`, () => {
    begin({ join: "and", args: [] });
    inner.add.click();
  }, { className: "add" });
  if (tree) begin(grouped(tree) ?? joined(tree));
  else element.append(ask);
  return {
    element,
    read(pointer) {
      return inner === null ? LEFT_OUT : inner.read(pointer);
    },
  };
}

/** Criteria that this page has no editor for, said in the language's own words. */
function kept(context, entity, tree) {
  const text = el("code", {}, JSON.stringify(tree));
  context.api.ask("/v1/criteria/format", { entity, criteria: tree }).then(({ told }) => text.replaceChildren(told.text), () => {});
  const element = el("div", { className: "condition kept" }, text, el("small", {}, "kept as it is"));
  return {
    element,
    read(pointer) {
      context.places.set(pointer, element);
      return tree;
    },
  };
}

/** Each problem at the nearest element that its pointer leads to; those that lead nowhere are given back. */
function show(places, problems, whole) {
  whole.querySelectorAll(".problem").forEach((one) => one.remove());
  whole.querySelectorAll(".wrong, .odd").forEach((one) => {
    one.classList.remove("wrong", "odd");
    one.querySelectorAll("[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
  });
  return problems.filter((problem) => {
    let pointer = problem.pointer ?? "";
    while (pointer && !places.has(pointer)) pointer = pointer.slice(0, pointer.lastIndexOf("/"));
    const place = places.get(pointer);
    if (!place) return true;
    const wrong = problem.severity !== "warning";
    place.classList.add(wrong ? "wrong" : "odd");
    if (wrong) [place, ...place.querySelectorAll("input, select")].forEach((one) => one.matches("input, select") && one.setAttribute("aria-invalid", "true"));
    const said = problem.suggestion ? `${problem.message} Did you mean ${problem.suggestion}?` : problem.message;
    const line = el("p", { className: `problem ${wrong ? "error" : "warning"}`, role: wrong ? "alert" : "note" }, said);
    (place.closest(".condition") ?? place).append(line);
    return false;
  });
}
