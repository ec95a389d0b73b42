/** The page: sign in, choose what is listed, open a list. */

import { Api, Problem } from "./api.js";
import { Catalog } from "./catalog.js";
import { combobox } from "./combobox.js";
import { button, el, labelled } from "./dom.js";
import { found } from "./lists.js";
import { view } from "./view.js";

const app = document.getElementById("app");
const kept = sessionStorage; // a key that outlives the tab would be there for whoever comes next

// -- signing in ---------------------------------------------------------------------------------------------------------

function signIn(message = "") {
  const address = el("input", { type: "url", required: true, value: kept.getItem("address") ?? "http://127.0.0.1:8000", spellcheck: false });
  const key = el("input", { type: "password", required: true, autocomplete: "off", placeholder: "strata_…" });
  const wrong = el("p", { className: "problem error", role: "alert" }, message);
  const submit = el("button", { type: "submit", className: "primary" }, "Sign in");
  const form = el("form", { className: "card signing" }, el("h1", {}, "Lists"),
    el("p", { className: "hint" }, "Any filter that the catalogue of your workspace allows, page by page."),
    labelled("Address of the service", address), labelled("API key", key), wrong, submit);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    await begin(address.value, key.value.trim());
    submit.disabled = false;
  });
  app.replaceChildren(form);
  (kept.getItem("address") ? key : address).focus();
}

async function begin(address, key) {
  const api = new Api(address, key);
  try {
    const [me, catalog] = await Promise.all([api.get("/v1/me"), api.get("/v1/catalog")]);
    kept.setItem("address", address);
    kept.setItem("api-key", key);
    page(api, me.told, new Catalog(catalog.told));
  } catch (error) {
    kept.removeItem("api-key");
    kept.setItem("address", address);
    signIn(error instanceof Problem ? error.message
      : "The service does not answer. Is the address right, and does its STRATA_CORS_ORIGINS name this page's origin?");
  }
}

// -- the page -----------------------------------------------------------------------------------------------------------

function page(api, me, catalog) {
  const bar = el("header", { className: "bar" });
  const content = el("div", { className: "content" });
  app.replaceChildren(bar, content);
  const signOut = () => {
    kept.removeItem("api-key");
    window.onhashchange = null;
    location.hash = "";
    signIn();
  };

  /** The address says what is open: `#accounts`, `#accounts/<id of a list>`. */
  async function open() {
    const { hash } = location;
    const [name, id] = hash.slice(1).split("/");
    const entity = catalog.listed.find((one) => one.name === name)?.name ?? catalog.listed[0].name;
    bar.replaceChildren(
      el("strong", {}, "Lists"),
      el("nav", { "aria-label": "What is listed" }, catalog.listed.map((one) =>
        el("a", { href: `#${one.name}`, "aria-current": one.name === entity ? "page" : null }, one.name))),
      combobox({ label: "Open a list", placeholder: "open a list …", keep: false,
        options: (words) => found(api, entity, words), onpick: (one) => { location.hash = `${entity}/${one.value}`; } }).element,
      el("span", { className: "who" }, `${me.name ?? "a service"} · ${me.workspace.name}`), button("Sign out", signOut));
    try {
      const opened = id ? await api.get(`/v1/lists/${id}`) : null;
      if (location.hash === hash) view(content, { api, me, catalog, entity, signIn }, opened);
    } catch (error) {
      content.replaceChildren(el("p", { className: "card problem error", role: "alert" }, error.message));
    }
  }

  window.onhashchange = open;
  open();
}

kept.getItem("api-key") ? begin(kept.getItem("address"), kept.getItem("api-key")) : signIn();
