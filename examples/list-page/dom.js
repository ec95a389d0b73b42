/** Elements without a framework. Text is always text: nothing here reads HTML. */

let ids = 0;

/** An id that no other element has. */
export const fresh = (name) => `${name}-${++ids}`;

/** An element with properties, listeners (`onclick`) and attributes; children that are null are left out. */
export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name in made && !name.startsWith("aria")) made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return made;
}

/** A control under its label. */
export function labelled(text, control) {
  control.id ||= fresh("control");
  return el("div", { className: "labelled" }, el("label", { htmlFor: control.id }, text), control);
}

/** A select: options as [value, label]. */
export function select(label, options, value, onchange) {
  const made = el("select", { "aria-label": label, onchange: () => onchange?.(made.value) },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return made;
}

/** A button that says what it does. */
export const button = (text, onclick, props = {}) => el("button", { type: "button", onclick, ...props }, text);

/** A button that is only a sign, with its name for those who do not see it. */
export const sign = (text, name, onclick) =>
  button(text, onclick, { className: "sign", "aria-label": name, title: name });

/** Calls `act` once things have been quiet for a moment. */
export function calm(act, milliseconds = 250) {
  let waiting;
  return (...given) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => act(...given), milliseconds);
  };
}
