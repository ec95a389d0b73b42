/** One condition: what is asked, by which operator, and with which value. Everything in it is drawn from the catalogue. */

import { blanks, fill, match } from "./catalog.js";
import { combobox } from "./combobox.js";
import { el, select } from "./dom.js";
import { path, several, single, windowed } from "./inputs.js";

const plain = (value) => typeof value !== "object";

/** What can stand at the head of a condition: fields, related records, and functions of the record itself. */
function subjects(context, entity) {
  const of = context.catalog.entity(entity);
  const fields = of.fields.filter((one) => one.filterable)
    .map((field) => ({ value: field.path, label: field.label, group: field.group, hint: field.description ?? field.unit, field }));
  const relations = of.relations.filter((one) => one.asked)
    .map((relation) => ({ value: `${relation.name}[]`, label: relation.name, group: "related", hint: "any, none, how many …", relation }));
  const alone = context.catalog.served.functions.filter((one) => blanks(one.json).every((name) => name in ARGUMENTS && name !== "relation"))
    .filter((one) => entity === context.entity && !(blanks(one.json).includes("segmentation") && !segmentations(context).length))
    .map((fn) => ({ value: `${fn.name}()`, label: fn.label, group: { rank: "ranks", segment: "segments", list: "lists" }[fn.family], hint: fn.description, fn }));
  return [...fields, ...relations, ...alone];
}

const segmentations = (context) =>
  context.catalog.entity(context.entity).fields.filter((one) => one.path.startsWith("segment."));

/** A condition of this tree, of nothing yet where there is none; null where it cannot be drawn. */
export function condition(context, entity, tree, changed) {
  const options = subjects(context, entity);
  const start = tree ? opened(context, options, tree) : {};
  if (start === null) return null;
  const rest = el("span", { className: "rest" });
  let inner = null;

  function begin(subject, put) {
    const over = subject.field ? fieldAsked : functionAsked;
    inner = over(context, entity, subject, put, changed);
    rest.replaceChildren(inner.element);
  }

  const picker = combobox({
    label: "What is asked", options, shown: start.subject?.label ?? "", placeholder: "field or related records …",
    onpick(subject) {
      begin(subject, {});
      changed();
      (rest.querySelector("select, input") ?? picker.input).focus();
    },
  });
  if (start.subject) begin(start.subject, start);
  const element = el("div", { className: "condition" }, picker.element, rest);
  return {
    element,
    focus: () => picker.input.focus(),
    read(pointer) {
      context.places.set(pointer, element);
      return inner?.read(pointer);
    },
  };
}

/** What a tree says, as {subject, fn, args, operator, put}; null where no template of the catalogue says it. */
function opened(context, options, tree) {
  const { functions, operators } = context.catalog.served;
  for (const fn of functions.filter((one) => one.gives === "condition")) {
    const args = match(fn.json, tree, fn.optional);
    const subject = args && headed(options, fn, args);
    if (subject) return { subject, fn, args };
  }
  for (const operator of operators) {
    const put = match(operator.json, tree);
    if (!put || !valued(context, operator, put)) continue;
    if (plain(put.field)) {
      const subject = options.find((one) => one.field?.path === put.field);
      return subject?.field.operators.includes(operator.name) ? { subject, operator, put } : null;
    }
    for (const fn of functions.filter((one) => one.gives !== "condition")) {
      const args = match(fn.json, put.field, fn.optional);
      const subject = args && headed(options, fn, args);
      if (subject) return { subject, fn, args, operator, put };
    }
  }
  return null;
}

const headed = (options, fn, args) =>
  options.find((one) => (args.relation ? one.relation?.name === args.relation : one.fn?.name === fn.name));

/** Whether the editors of an operator can show these values. */
function valued(context, { takes }, put) {
  const refers = (value) => plain(value) || context.catalog.served.references.some((one) => match(one.json, value));
  if (takes === "values") return Array.isArray(put.values) && put.values.every(plain);
  return ["value", "lo", "hi"].every((name) => put[name] === undefined || refers(put[name]));
}

function fieldAsked(context, _entity, { field }, start, changed) {
  const compared = comparison(context, field, true, start, changed);
  const operand = (pointer) => {
    context.places.set(pointer, compared.element);
    return field.path;
  };
  return { element: compared.element, read: (pointer) => compared.read(pointer, operand) };
}

/** Operator and value, of a field or of what a function gives. */
function comparison(context, field, ofField, start, changed) {
  const operators = context.catalog.operators(field.kind, ofField);
  const value = el("span", { className: "value" });
  const element = el("span", { className: "comparison" });
  let editors = {};

  function begin(name, put = {}) {
    const operator = operators.find((one) => one.name === name);
    const editor = {
      value: () => single(context, field, put.value, changed),
      text: () => single(context, { ...field, kind: "text", target: null, values: null }, put.value, changed),
      values: () => several(context, field, put.values, changed),
      lo: () => single(context, field, put.lo, changed, "From"),
      hi: () => single(context, field, put.hi, changed, "To"),
      window: () => windowed(context, field.kind, put.window, changed),
    };
    const names = blanks(operator.json).filter((one) => one !== "field");
    editors = Object.fromEntries(names.map((one) => [one, editor[operator.takes === "text" ? "text" : one]()]));
    const shown = names.flatMap((one) => (one === "hi" ? ["to", editors[one].element] : [editors[one].element]));
    value.replaceChildren(...shown);
  }

  const known = operators.some((one) => one.name === start.operator?.name);
  const first = known ? start.operator.name : operators[0].name;
  const chooser = select("Operator", operators.map((one) => [one.name, one.label]), first, (name) => {
    begin(name);
    changed();
  });
  begin(first, known ? start.put : {});
  element.append(chooser, value);
  return {
    element,
    read(pointer, operand) {
      const operator = operators.find((one) => one.name === chooser.value);
      const readers = Object.fromEntries(Object.entries(editors).map(([name, one]) => [name, one.read]));
      return fill(operator.json, { field: operand, ...readers }, pointer);
    },
  };
}

/** Editors for the blanks of functions, by name. */
const ARGUMENTS = {
  relation: null,
  field: (context, entity, fn, value, changed) =>
    path(context, value, changed, (one) => fn.takes.includes(one.kind) && (entity === context.entity || one.foldable), entity),
  criteria: (context, entity, _fn, value, changed) => context.group(entity, value, changed),
  window: (context, entity, fn, value, changed) => {
    const { time_field, byPath } = context.catalog.entity(entity);
    return windowed(context, byPath.get(time_field)?.kind ?? "instant", value, changed, fn.optional.includes("in") ? "at any time" : undefined);
  },
  segmentation: (context, _entity, _fn, value, changed) => chosen(context, "Segmentation",
    segmentations(context).map((one) => [one.path.slice("segment.".length), one.label]), value, changed),
  segment: (context, _entity, _fn, value, changed, beside) => chosen(context, "Segment",
    context.catalog.choices(context.catalog.entity(context.entity).byPath.get(`segment.${beside.segmentation.element.value}`)), value, changed),
  list: (context, entity, _fn, value, changed) => listed(context, entity, value, changed),
};

function chosen(context, label, options, value, changed) {
  const element = select(label, options, value ?? options[0]?.[0], changed);
  return {
    element,
    read(pointer) {
      context.places.set(pointer, element);
      return element.value || undefined;
    },
  };
}

/** A saved list, found by its name. */
function listed(context, entity, value, changed) {
  let held = value;
  const box = combobox({
    label: "List", shown: value ?? "", placeholder: "search lists",
    options: (words) => context.lists(entity, words),
    onpick(option) {
      held = option.value;
      changed();
    },
  });
  if (value) context.api.get(`/v1/lists/${value}`).then(({ told }) => box.rename(told.name), () => {});
  return {
    element: box.element,
    read(pointer) {
      context.places.set(pointer, box.element);
      return held;
    },
  };
}

/** Related records (any, none, how many …), or another function of the catalogue. */
function functionAsked(context, entity, subject, start, changed) {
  const { relation } = subject;
  const target = relation?.target ?? entity;
  const functions = relation
    ? context.catalog.served.functions.filter((one) => blanks(one.json).includes("relation"))
    : [subject.fn];
  const element = el("span", { className: "function" });
  let fn, args, compared;

  function begin(name, put) {
    put ??= {};
    fn = functions.find((one) => one.name === name);
    args = {};
    for (const name of new Set(blanks(fn.json))) {
      if (name !== "relation") draw(name, put[name]);
    }
    compared = null;
    compare(start.operator && start.fn?.name === name ? start : {});
  }

  function draw(name, value) {
    args[name] = ARGUMENTS[name](context, target, fn, value, () => {
      if (name === "segmentation") draw("segment");
      if (name === "segmentation" || name === "field") compare();
      changed();
    }, args);
  }

  /** The operator follows what the function gives, which may follow its field. */
  function compare(from = {}) {
    const field = args.field?.field();
    const kind = fn.gives ?? field?.kind;
    const gives = fn.gives ? { kind, values: null, target: null, unit: null } : field;
    compared = fn.gives === "condition" || !kind ? null : comparison(context, gives, false, from, changed);
    element.replaceChildren(...arranged());
  }

  /** In the order in which it is read: how many, of which field, when; then what it is; below, which of them. */
  function arranged() {
    const { field, window, criteria, ...others } = Object.fromEntries(Object.entries(args).map(([name, one]) => [name, one.element]));
    return [functions.length > 1 ? chooser : null, field, ...Object.values(others), window, compared?.element, criteria].filter(Boolean);
  }

  const chooser = select("How", functions.map((one) => [one.name, one.label]), start.fn?.name ?? functions[0].name, (name) => {
    begin(name);
    changed();
  });
  begin(chooser.value, start.args);
  return {
    element,
    read(pointer) {
      const readers = Object.fromEntries(Object.entries(args).map(([name, one]) => [name, one.read]));
      const put = { ...readers, relation: () => relation.name };
      const { by, ...json } = fn.json; // what ranks are taken by is left to those who write criteria themselves
      const of = (at) => fill(json, put, at);
      if (fn.gives === "condition") return of(pointer);
      return compared?.read(pointer, of);
    },
  };
}
