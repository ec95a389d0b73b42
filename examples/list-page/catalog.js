/** The catalogue (GET /v1/catalog) by name, and its templates filled and read back. */

/** What stands between the braces of a template, null where it is no name: "{field}" is "field". */
const blank = (template) => (typeof template === "string" && /^\{(\w+)\}$/.exec(template)?.[1]) || null;

/** What an editor says whose member is to be left out. Undefined says that it is unfinished: that is never left out. */
export const LEFT_OUT = Symbol("left out");

/**
 * A template's JSON with its blanks filled. `put[name]` is called with the pointer at which its value will stand.
 * Undefined while one of them is unfinished.
 */
export function fill(template, put, pointer = "") {
  const name = blank(template);
  if (name !== null) return put[name]?.(pointer);
  if (typeof template !== "object" || template === null) return template;
  const made = {};
  let whole = true;
  for (const [key, inner] of Object.entries(template)) {
    const value = fill(inner, put, `${pointer}/${key}`);
    if (value === undefined) whole = false;
    else if (value !== LEFT_OUT) made[key] = value;
  }
  return whole ? made : undefined;
}

/** What stands in a template's blanks in this JSON, by name; null where it is not of this template. */
export function match(template, json, optional = []) {
  const name = blank(template);
  if (name !== null) return { [name]: json };
  if (typeof template !== "object" || template === null) return template === json ? {} : null;
  if (typeof json !== "object" || json === null) return null;
  if (Object.keys(json).some((key) => !(key in template))) return null;
  const found = {};
  for (const [key, inner] of Object.entries(template)) {
    if (!(key in json)) {
      if (optional.includes(key)) continue;
      return null;
    }
    const put = match(inner, json[key]);
    if (put === null || Object.keys(put).some((one) => one in found)) return null;
    Object.assign(found, put);
  }
  return found;
}

/** The names of a template's blanks. */
export function blanks(template) {
  const name = blank(template);
  if (name !== null) return [name];
  return typeof template === "object" && template !== null ? Object.values(template).flatMap(blanks) : [];
}

export class Catalog {
  #entities;
  #known;

  constructor(served) {
    this.served = served;
    this.#entities = new Map(served.entities.map((one) => [one.name, { ...one, byPath: new Map(one.fields.map((f) => [f.path, f])) }]));
    this.#known = new Map(served.known.map((one) => [one.target, one]));
  }

  entity(name) {
    return this.#entities.get(name);
  }

  /** The entities that lists can be of. */
  get listed() {
    return this.served.entities.filter((one) => one.columns !== null);
  }

  /** All that a field can be, as [value, name]; null where that is not known. */
  choices(field) {
    if (field.values) return field.values.map((value) => [value, value.replaceAll("_", " ")]);
    const known = this.#known.get(field.target);
    return known?.whole ? known.values.map((one) => [one.value, one.name]) : null;
  }

  /** The operators for values of a kind; what a function gives is asked by fewer of them. */
  operators(kind, ofField) {
    return this.served.operators.filter((one) => one.kinds.includes(kind) && (ofField || one.of === "operand"));
  }

  function(name) {
    return this.served.functions.find((one) => one.name === name);
  }

  /** A column of an entity: one of its fields, or one of a record that it refers to. Null where there is none. */
  column(entity, path) {
    const own = this.entity(entity).byPath.get(path);
    if (own) return own;
    const [head, ...rest] = path.split(".");
    const relation = this.entity(entity).relations.find((one) => one.name === head && !one.many);
    const inner = relation && rest.length ? this.column(relation.target, rest.join(".")) : null;
    if (!inner) return null;
    const label = `${this.entity(entity).byPath.get(head)?.label ?? head} ${inner.label}`;
    return { ...inner, path, label, group: head, answered_as: `${head}.${inner.answered_as}`, sortable: false };
  }

  /** Every column that can be shown. */
  columns(entity) {
    const of = this.entity(entity);
    const ones = of.relations.filter((one) => !one.many);
    const reached = ones.flatMap((one) => this.entity(one.target).fields.map((field) => `${one.name}.${field.path}`));
    const own = of.fields.map((field) => field.path);
    return [...new Set([...own, ...reached])].map((path) => this.column(entity, path))
      .filter((one) => one && one.kind !== "json" && one.path.split(".").length < 4);
  }
}
