/** A text input with a list to choose from (the ARIA combobox pattern), for fields, records, lists and columns. */

import { calm, el, fresh } from "./dom.js";

/**
 * `options`: an array, or an async function of the words that were typed; each is {value, label, group?, hint?}.
 * `shown` is the text that it begins with. `onpick` is called with the option; `keep: false` empties the input again.
 */
export function combobox({ label, options, shown = "", placeholder = "", onpick, keep = true }) {
  const list = el("div", { id: fresh("options"), role: "listbox", "aria-label": label, className: "options", hidden: true });
  const input = el("input", {
    type: "text", role: "combobox", autocomplete: "off", spellcheck: false, value: shown, placeholder,
    "aria-label": label, "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list",
  });
  const element = el("div", { className: "combobox" }, input, list);
  let drawn = [], active = -1, asked = 0;

  const open = () => input.getAttribute("aria-expanded") === "true";

  function close() {
    asked += 1;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    if (keep) input.value = shown;
  }

  function pick(option) {
    shown = keep ? option.label : "";
    input.value = shown;
    close();
    onpick(option);
  }

  function point(at) {
    drawn[active]?.row.removeAttribute("aria-selected");
    active = at;
    const row = drawn[active]?.row;
    if (!row) return;
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", row.id);
  }

  function draw(found) {
    const groups = Map.groupBy(found, (option) => option.group ?? "");
    drawn = [...groups.values()].flat().map((option) => ({ option, row: el("div",
      { id: fresh("option"), role: "option", className: "option", onclick: () => pick(option) },
      el("span", {}, option.label), option.hint ? el("small", {}, option.hint) : null) }));
    const rows = drawn.map((one) => one.row);
    list.replaceChildren(...[...groups].map(([name, held]) => el("div", { role: "group", "aria-label": name || label },
      name ? el("div", { className: "group-name", "aria-hidden": "true" }, name) : null, rows.splice(0, held.length))));
    if (!drawn.length) list.append(el("p", { className: "none" }, "Nothing is called so."));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    active = -1;
  }

  async function show(words) {
    const mine = ++asked;
    const sought = words.trim().toLowerCase();
    const found = typeof options === "function" ? await options(sought).catch(() => []) : sift(options, sought);
    if (mine !== asked) return;
    draw(found);
    const best = drawn.findIndex(({ option }) => option === found[0]);
    point(sought ? best : drawn.findIndex(({ option }) => option.label === shown));
  }

  const later = typeof options === "function" ? calm(show) : show;
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the input keeps the focus
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => open() || show(""));
  input.addEventListener("input", () => later(input.value));
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (open()) point((active + step + drawn.length) % drawn.length);
      else show("");
    } else if (event.key === "Enter" && open() && drawn[active]) {
      event.preventDefault();
      pick(drawn[active].option);
    } else if (event.key === "Escape" && open()) {
      event.stopPropagation();
      close();
    }
  });
  return {
    element,
    input,
    rename(text) {
      shown = text;
      input.value = text;
    },
  };
}

/** The options in whose label, group or value all the words are, those that begin with them first. */
function sift(options, sought) {
  const words = sought.split(/\s+/).filter(Boolean);
  const fits = options.filter((one) => {
    const text = `${one.label} ${one.group ?? ""} ${one.value}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (!sought) return fits;
  const weight = (one) => (one.label.toLowerCase() === sought ? 0 : one.label.toLowerCase().startsWith(sought) ? 1 : 2);
  return fits.sort((a, b) => weight(a) - weight(b));
}
