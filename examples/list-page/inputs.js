/**
 * Inputs for values, drawn by a field's kind. Each editor is {element, read}: `read(pointer)` gives the JSON that it says,
 * undefined while it is unfinished, LEFT_OUT where nothing is to be said, and notes in `context.places` which element stands at the pointer.
 */

import { LEFT_OUT, blanks, fill, match } from "./catalog.js";
import { combobox } from "./combobox.js";
import { button, calm, el, select, sign } from "./dom.js";

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** An editor that is one control: noted at its pointer. */
function control(context, element, value) {
  return {
    element,
    read(pointer) {
      context.places.set(pointer, element);
      return value();
    },
  };
}

/** An input of one value of a field. */
function scalar(context, field, value, changed, label) {
  const choices = field.kind === "bool" ? [["true", "yes"], ["false", "no"]] : context.catalog.choices(field);
  if (choices) {
    const known = choices.some(([key]) => key === String(value));
    const all = known || value === undefined ? choices : [...choices, [value, value]];
    const made = select(label, [["", "choose …"], ...all], value === undefined ? "" : String(value), changed);
    return control(context, made, () => (field.kind === "bool" && made.value ? made.value === "true" : made.value || undefined));
  }
  if (field.kind === "ref") return record(context, field, value, changed, label);
  const later = calm(changed);
  if (["number", "integer", "money"].includes(field.kind)) {
    const made = el("input", { type: "number", step: field.kind === "integer" ? "1" : "any", "aria-label": label,
      value: value ?? "", min: field.minimum, max: field.maximum, oninput: later });
    const unit = field.kind === "money" ? context.currency : field.unit;
    const element = el("span", { className: "with-unit" }, made, unit ? el("span", { className: "unit" }, unit) : null);
    return control(context, element, () => (made.value === "" ? undefined : Number(made.value)));
  }
  const day = ["date", "instant"].includes(field.kind) && (value === undefined || DAY.test(value));
  const made = el("input", { type: day ? "date" : "text", "aria-label": label, value: value ?? "", oninput: later });
  return control(context, made, () => made.value || undefined);
}

/** A record of the field's target, found by what it is called; told by its id. */
function record(context, field, value, changed, label) {
  const { searched } = context.catalog.entity(field.target);
  const [name, ...more] = searched;
  let chosen = value;
  const box = combobox({
    label, shown: value ?? "", placeholder: `search ${field.target}`,
    async options(words) {
      const parts = searched.map((path) => ({ op: "text", of: path, match: "contains", value: words }));
      const rows = await records(context, field, words ? { op: "or", args: parts } : { op: "all" }, 12);
      return rows.map((row) => ({ value: row.id, label: row[name], hint: more.map((path) => row[path]).filter(Boolean)[0] }));
    },
    onpick(option) {
      chosen = option.value;
      changed();
    },
  });
  if (value !== undefined) called(context, field, [value], (_, text) => box.input.value === value && box.rename(text));
  return control(context, box.element, () => chosen);
}

/** Records of a field's target. */
async function records(context, field, criteria, limit) {
  const fields = ["id", ...context.catalog.entity(field.target).searched];
  return (await context.api.ask(`/v1/${field.target}/query`, { criteria, fields, limit })).told.data;
}

/** What the records of these ids are called, told one by one; what is no id stays as it is. */
function called(context, field, ids, tell) {
  const [name] = context.catalog.entity(field.target).searched;
  records(context, field, { op: "in", of: "id", values: ids }, ids.length)
    .then((rows) => rows.forEach((row) => tell(row.id, row[name])), () => {});
}

/** A value, or what can stand where a value does: me, another field, so long ago, a parameter. */
export function single(context, field, value, changed, label = "Value") {
  const references = context.catalog.served.references
    .filter((one) => one.kinds.includes(field.kind) && (!blanks(one.json).includes("name") || context.params().length));
  const refers = (one) => typeof value === "object" && match(one.json, value);
  const standing = references.findIndex(refers);
  if (!references.length) return scalar(context, field, value, changed, label);
  const element = el("span", { className: "value" });
  const modes = [["", "value"], ...references.map((one, at) => [String(at), one.label])];
  let inner;

  function begin(mode, given) {
    const reference = references[mode];
    inner = reference
      ? referred(context, field, reference, given === undefined ? {} : match(reference.json, given), changed)
      : scalar(context, field, given, changed, label);
    element.replaceChildren(mode_, inner.element);
  }

  const mode_ = select(`${label}: what it is`, modes, standing < 0 ? "" : String(standing), (mode) => {
    begin(mode === "" ? -1 : Number(mode));
    changed();
  });
  mode_.className = "mode";
  begin(standing, value);
  return { element, read: (pointer) => inner.read(pointer) };
}

/** The blanks of a reference. */
function referred(context, field, reference, put, changed) {
  const parts = {
    duration: () => duration(context, field, put.duration, changed),
    path: () => path(context, put.path, changed, (one) => one.kind === field.kind && one.filterable),
    name: () => parameter(context, put.name, changed),
  };
  const editors = Object.fromEntries(blanks(reference.json).map((name) => [name, parts[name]()]));
  const element = el("span", { className: "value" }, Object.values(editors).map((one) => one.element));
  const readers = Object.fromEntries(Object.entries(editors).map(([name, one]) => [name, one.read]));
  return {
    element,
    read(pointer) {
      context.places.set(pointer, element);
      return fill(reference.json, readers, pointer);
    },
  };
}

function parameter(context, value, changed) {
  const made = select("Parameter", context.params().map((one) => [one.name, one.name]), value, changed);
  return control(context, made, () => made.value);
}

/** A field of the record itself. */
export function path(context, value, changed, fits, entity = context.entity) {
  const fields = context.catalog.entity(entity).fields.filter(fits);
  let chosen = fields.find((one) => one.path === value);
  const box = combobox({
    label: "Field", shown: chosen?.label ?? "", placeholder: "choose a field",
    options: fields.map((one) => ({ value: one.path, label: one.label, group: one.group, hint: one.description })),
    onpick(option) {
      chosen = fields.find((one) => one.path === option.value);
      changed();
    },
  });
  return { ...control(context, box.element, () => chosen?.path), field: () => chosen };
}

function duration(context, field, value, changed) {
  const { units, units_of_dates, labels } = context.catalog.served.windows.rolling;
  const allowed = field.kind === "date" ? units_of_dates : units;
  const [, n, unit] = /^(\d+)(\D+)$/.exec(value ?? "30d");
  const number = el("input", { type: "number", min: 1, step: 1, value: n, className: "short", "aria-label": "How many", oninput: calm(changed) });
  const units_ = select("Unit", allowed.map((one) => [one, labels[one]]), unit, changed);
  return control(context, el("span", { className: "value" }, number, units_), () => number.value && number.value + units_.value);
}

/** Several values, each of which can be taken away again. */
export function several(context, field, values = [], changed) {
  const held = el("span", { className: "chips" });
  const element = el("span", { className: "value several" }, held);
  const choices = new Map(context.catalog.choices(field) ?? []);
  let chosen = [...values];

  function add(value, name = choices.get(value) ?? String(value)) {
    if (value === undefined || held.querySelector(`[data-value="${CSS.escape(value)}"]`)) return;
    const chip = el("span", { className: "chip" }, el("span", {}, name), sign("×", "Remove", () => {
      chosen = chosen.filter((one) => one !== value);
      chip.remove();
      changed();
    }));
    chip.dataset.value = value;
    held.append(chip);
  }

  const take = (value, name) => {
    if (value !== undefined && !chosen.includes(value)) chosen.push(value);
    add(value, name);
    changed();
  };
  values.forEach((value) => add(value));
  if (field.kind === "ref" && values.length) {
    called(context, field, values, (id, text) => {
      held.querySelector(`[data-value="${CSS.escape(id)}"] span`)?.replaceChildren(text);
    });
  }
  element.append(adder(context, field, choices, take));
  return {
    element,
    read(pointer) {
      context.places.set(pointer, element);
      [...held.children].forEach((chip, at) => context.places.set(`${pointer}/${at}`, chip));
      return chosen.length ? [...chosen] : undefined;
    },
  };
}

/** What adds one more value: a list to choose from, or an input with a button. */
function adder(context, field, choices, take) {
  if (choices.size) {
    const options = [...choices].map(([value, label]) => ({ value, label }));
    return combobox({ label: "Add a value", options, placeholder: "add …", keep: false, onpick: (one) => take(one.value, one.label) }).element;
  }
  if (field.kind === "ref") {
    const apart = { ...context, places: new Map() };
    const slot = el("span");
    const again = () => {
      const one = record(apart, field, undefined, () => {
        take(one.read(""), one.element.querySelector("input").value);
        again();
      }, "Add a value");
      slot.replaceChildren(one.element);
    };
    again();
    return slot;
  }
  const apart = { ...context, places: new Map() };
  let one = scalar(apart, field, undefined, () => {}, "Add a value");
  const slot = el("span", { className: "value" }, one.element);
  const enter = () => {
    take(one.read(""));
    const next = scalar(apart, field, undefined, () => {}, "Add a value");
    one.element.replaceWith(next.element);
    one = next;
    one.element.querySelector("input")?.focus() ?? one.element.focus();
  };
  slot.addEventListener("keydown", (event) => event.key === "Enter" && enter());
  slot.append(button("Add", enter));
  return slot;
}

/** A window of time: rolling or by the calendar. `never` is what it is called to leave it out, where that may be. */
export function windowed(context, kind, value, changed, never) {
  const { rolling, period } = context.catalog.served.windows;
  const units = kind === "date" ? rolling.units_of_dates : rolling.units;
  const now = value ? match(rolling.json, value) ?? match(period.json, value) : null;
  const ways = [
    ...(never ? [["", never]] : []),
    ...rolling.dir.map((dir) => [`rolling ${dir}`, `${rolling.labels[dir]} …`]),
    ...period.which.map((which) => [`period ${which}`, `${period.labels[which]} …`]),
  ];
  const standing = now ? (now.dir ? `rolling ${now.dir}` : `period ${now.which}`) : ways[0][0];
  const element = el("span", { className: "value window" });
  let read;

  function begin(way, put = {}) {
    const [sort, which] = way.split(" ");
    const number = el("input", { type: "number", min: 1, step: 1, className: "short", value: put.n ?? 30, "aria-label": "How many", oninput: calm(changed) });
    const choices = sort === "rolling" ? units.map((unit) => [unit, rolling.labels[unit]]) : period.units.map((unit) => [unit, period.labels[unit]]);
    const unit = select("Unit", choices, put.unit ?? (sort === "rolling" ? "d" : "month"), changed);
    element.replaceChildren(ways_, ...(sort === "rolling" ? [number, unit] : sort ? [unit] : []));
    read = (pointer) => {
      if (sort === "rolling") return fill(rolling.json, { dir: () => which, n: () => (number.value ? Number(number.value) : undefined), unit: () => unit.value }, pointer);
      return sort ? fill(period.json, { which: () => which, unit: () => unit.value }, pointer) : LEFT_OUT;
    };
  }

  const ways_ = select("Window", ways, standing, (way) => {
    begin(way);
    changed();
  });
  begin(standing, now ?? {});
  return {
    element,
    read(pointer) {
      context.places.set(pointer, element);
      return read(pointer);
    },
  };
}
