"use strict";
const $ = (id) => document.getElementById(id);
const pane = { key: $("key"), query: $("query"), variables: $("variables"), headers: $("headers") };
const EXAMPLES = {
  "Largest accounts": ["query Largest($first: Int = 5) {\n  accounts(orderBy: [\"-arr\"], first: $first) {\n    totalCount\n    nodes {\n      name\n      arr\n      healthBand\n      renewalDate\n      csm { name }\n    }\n  }\n}", ""],
  "Renewals with low health": ["{\n  accounts(filter: \"renewal_date IN next(90d) AND health < 50\", orderBy: [\"renewal_date\"]) {\n    windows { window lo hi zone }\n    edges {\n      cursor\n      node { name health renewalDate arr primaryContact { name email } }\n    }\n    pageInfo { hasNextPage endCursor }\n  }\n}", ""],
  "The same as a tree": ["query Tree($where: AccountFilter) {\n  accounts(where: $where) {\n    totalCount\n    nodes { name health renewalDate }\n  }\n}", "{\n  \"where\": {\n    \"and\": [\n      {\"cmp\": {\"of\": \"health\", \"cmp\": \"lt\", \"value\": 50}},\n      {\"time\": {\"of\": \"renewal_date\", \"in\": {\"rolling\": {\"dir\": \"next\", \"n\": 90, \"unit\": \"d\"}}}}\n    ]\n  }\n}"],
  "One account, nested": ["{\n  accounts(first: 1) {\n    nodes {\n      name\n      segment(segmentation: \"tier\")\n      contracts(orderBy: [\"-start_date\"], first: 3) { product arr startDate endDate status }\n      interactions(orderBy: [\"-occurred_at\"], first: 3) { kind subject occurredAt }\n    }\n  }\n}", ""],
  "Who am I": ["{\n  me {\n    role\n    user { name email }\n    workspace { name currency zone }\n  }\n}", ""],
  "Create an account": ["mutation Create($input: CreateAccountInput!) {\n  createAccount(input: $input) {\n    account { id name version }\n  }\n}", "{\n  \"input\": {\"name\": \"Acme\", \"region\": \"EMEA\"}\n}"],
};
let schema = null, types = {}, trail = [];

// -- text -------------------------------------------------------------------------------------------------------------
const safe = (text) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
const coloured = (text, pattern, kinds) => {
  let out = "", last = 0;
  for (const m of text.matchAll(pattern)) {
    const kind = kinds[m.slice(1).findIndex((g) => g !== undefined)];
    out += safe(text.slice(last, m.index)) + `<span class="${kind}">${safe(m[0])}</span>`;
    last = m.index + m[0].length;
  }
  return out + safe(text.slice(last));
};
const QUERY = /(#.*)|("""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"?)|(\b(?:query|mutation|fragment|on|true|false|null)\b)|(\$\w+)|(-?\b\d[\d.eE+-]*)|(\b[A-Z]\w*\b)/g;
const JSONS = /("(?:\\.|[^"\\])*"(?=\s*:))|("(?:\\.|[^"\\])*")|(-?\b\d[\d.eE+-]*)|(\b(?:true|false|null)\b)/g;
const paint = () => {
  const under = $("query-editor").querySelector("pre");
  under.innerHTML = coloured(pane.query.value, QUERY, ["c", "s", "k", "v", "n", "t"]) + "\n";
  under.scrollTop = pane.query.scrollTop; under.scrollLeft = pane.query.scrollLeft;
};
const tidy = (source) => {
  const tokens = source.match(/#.*|"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|\.\.\.|[{}()[\]:!=@$|&]|[^\s{}()[\]:!=@$|&",#]+/g) || [];
  let out = "", depth = 0, round = 0, fresh = true, before = "";
  const line = () => { out = out.trimEnd() + "\n" + "  ".repeat(depth); fresh = true; };
  for (const t of tokens) {
    if (t === "{" && !round) { out = out.trimEnd() + (out.trim() && !fresh ? " {" : "{"); depth++; line(); }
    else if (t === "}" && !round) { depth--; line(); out += "}"; fresh = false; if (depth) line(); else out += "\n\n"; if (!depth) fresh = true; }
    else {
      const tight = /^[)\]:!]$/.test(t) || /[([@$]$/.test(before) || (before === "..." && t !== "on") || fresh || t === "(";
      const apart = !round && depth && !fresh && !/^[)\]:!(@=]/.test(t) && ![":", "...", "on", "@"].includes(before) && !/^[([]$/.test(before) && before !== "{";
      if (apart) line();
      out += (tight || apart ? "" : (round && !/[:({[=]$/.test(before) && !/^[\]})=]/.test(t) && before !== "$" ? ", " : " ")) + t;
      fresh = false;
      if (/^[({[]$/.test(t)) round++;
      if (/^[)}\]]$/.test(t)) round--;
      if (t[0] === "#") line();
    }
    before = t;
  }
  return out.trim() + "\n";
};

// -- requests ---------------------------------------------------------------------------------------------------------
const ask = async (query, variables, more = {}) => {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json, application/json", ...more };
  if (pane.key.value.trim()) headers.authorization = "Bearer " + pane.key.value.trim();
  return fetch(location.pathname, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
};
const object = (area, what) => {
  if (!area.value.trim()) return undefined;
  try { return JSON.parse(area.value); } catch (error) { throw new Error(`${what}: ${error.message}`); }
};
const said = (text, bad) => { $("status").textContent = text; $("status").classList.toggle("bad", !!bad); };
const run = async () => {
  $("run").disabled = true;
  const began = performance.now();
  try {
    const answer = await ask(pane.query.value, object(pane.variables, "Variables"), object(pane.headers, "Headers"));
    const text = await answer.text();
    const took = Math.round(performance.now() - began);
    let shown = text, bad = !answer.ok;
    try { const body = JSON.parse(text); shown = JSON.stringify(body, null, 2); bad ||= !!body.errors; } catch { /* shown as it came */ }
    $("result").innerHTML = coloured(shown, JSONS, ["t", "s", "n", "k"]);
    said(`${answer.status} · ${took} ms · ${(text.length / 1024).toFixed(1)} KiB`, bad);
  } catch (error) { said(error.message, true); }
  $("run").disabled = false;
};

// -- documentation ----------------------------------------------------------------------------------------------------
const REF = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
const SCHEMA = `{ __schema { queryType { name } mutationType { name } types { kind name description isOneOf
  fields { name description args { name description defaultValue type { ${REF} } } type { ${REF} } }
  inputFields { name description defaultValue type { ${REF} } } enumValues { name description } possibleTypes { name } } } }`;
const named = (ref) => ref.ofType ? named(ref.ofType) : ref.name;
const spelled = (ref) => ref.kind === "NON_NULL" ? spelled(ref.ofType) + "!" : ref.kind === "LIST" ? `[${spelled(ref.ofType)}]` : `<a data-type="${ref.name}" tabindex="0">${ref.name}</a>`;
const note = (text) => text ? `<p>${safe(text)}</p>` : "";
const member = (f) => `<div class="field">${f.name}${f.args && f.args.length ? `(${f.args.map((a) => `${a.name}: ${spelled(a.type)}${a.defaultValue ? " = " + safe(a.defaultValue) : ""}`).join(", ")})` : ""}: ${spelled(f.type)}${f.defaultValue ? " = " + safe(f.defaultValue) : ""}${note(f.description)}</div>`;
const show = (name) => {
  if (!schema) { $("doc").innerHTML = "<p>Enter an API key to read the schema.</p>"; return; }
  const back = trail.length ? `<a class="back" data-back="1" tabindex="0">‹ ${trail[trail.length - 1] || "Schema"}</a>` : "";
  const type = types[name];
  if (!type) {
    const roots = [schema.queryType, schema.mutationType].filter(Boolean).map((t) => `<div class="field"><a data-type="${t.name}" tabindex="0">${t.name}</a></div>`).join("");
    const all = Object.keys(types).filter((n) => !n.startsWith("__")).sort().map((n) => `<div class="field"><a data-type="${n}" tabindex="0">${n}</a></div>`).join("");
    $("doc").innerHTML = `<h3>Roots</h3>${roots}<h3>Types</h3>${all}`;
  } else {
    const fields = type.fields || type.inputFields || [];
    $("doc").innerHTML = `${back}<h2>${type.name}</h2>${type.isOneOf ? "<p>Exactly one member.</p>" : ""}${note(type.description)}${fields.length ? "<h3>Fields</h3>" + fields.map(member).join("") : ""}${type.enumValues ? "<h3>Values</h3>" + type.enumValues.map((v) => `<div class="field">${v.name}${note(v.description)}</div>`).join("") : ""}${type.possibleTypes ? "<h3>Types</h3>" + type.possibleTypes.map((t) => `<div class="field"><a data-type="${t.name}" tabindex="0">${t.name}</a></div>`).join("") : ""}`;
  }
  $("doc").dataset.at = name || "";
};
const go = (event) => {
  const link = event.target.closest("a");
  if (!link || (event.type === "keydown" && event.key !== "Enter")) return;
  if (link.dataset.back) show(trail.pop()); else { trail.push($("doc").dataset.at || ""); show(link.dataset.type); }
};
const find = () => {
  const word = $("search").value.trim().toLowerCase();
  if (!word || !schema) { show($("doc").dataset.at); return; }
  const hits = [];
  for (const t of Object.values(types)) {
    if (t.name.startsWith("__")) continue;
    if (t.name.toLowerCase().includes(word)) hits.push(`<div class="field"><a data-type="${t.name}" tabindex="0">${t.name}</a></div>`);
    for (const f of t.fields || t.inputFields || []) if (f.name.toLowerCase().includes(word)) hits.push(`<div class="field"><a data-type="${t.name}" tabindex="0">${t.name}</a>.${f.name}: ${spelled(f.type)}</div>`);
  }
  $("doc").innerHTML = `<h3>Found</h3>${hits.slice(0, 60).join("") || "<p>Nothing.</p>"}`;
};
const load = async () => {
  schema = null; types = {}; trail = [];
  sessionStorage.setItem("strata.key", pane.key.value);
  if (pane.key.value.trim()) {
    try {
      const body = await (await ask(SCHEMA)).json();
      if (body.data) { schema = body.data.__schema; for (const t of schema.types) types[t.name] = t; }
      else said((body.errors && body.errors[0].message) || body.detail || "The schema could not be read.", true);
    } catch (error) { said(error.message, true); }
  }
  show("");
};

// -- completion -------------------------------------------------------------------------------------------------------
const choices = (before) => {
  const tokens = before.replace(/#.*|"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"/g, " ").match(/\.\.\.|[{}()[\]:$@]|\w+/g) || [];
  const field = (type, name) => (types[type]?.fields || []).find((f) => f.name === name);
  let stack = [], type = null, last = null, args = 0, target = null, on = false;
  for (const t of tokens) {
    if (t === "(") { args++; } else if (t === ")") { args--; }
    else if (args) continue;
    else if (t === "{") { stack.push(type); type = type === null ? (target || schema.queryType.name) : (target || (field(type, last) && named(field(type, last).type)) || type); target = null; }
    else if (t === "}") { type = stack.pop() ?? null; }
    else if (t === "mutation" && type === null) target = schema.mutationType?.name;
    else if (t === "on") on = true;
    else if (/^\w+$/.test(t)) { if (on) { target = t; on = false; } else last = t; }
  }
  if (args) return (field(type, last)?.args || []).map((a) => [a.name, named(a.type)]);
  return (types[type]?.fields || []).map((f) => [f.name, named(f.type)]);
};
const hints = { list: $("hints"), at: 0, from: 0, items: [] };
const hide = () => { hints.list.hidden = true; };
const suggest = () => {
  if (!schema) return;
  const end = pane.query.selectionStart, text = pane.query.value.slice(0, end);
  const word = /\w*$/.exec(text)[0];
  hints.from = end - word.length;
  hints.items = choices(text.slice(0, hints.from)).filter(([n]) => n.toLowerCase().startsWith(word.toLowerCase()) && n !== word);
  if (!hints.items.length) return hide();
  hints.at = 0;
  const lines = text.split("\n");
  hints.list.style.top = `${Math.min(lines.length * 19.5 + 14 - pane.query.scrollTop, pane.query.clientHeight - 60)}px`;
  hints.list.style.left = `${Math.min(12 + (lines[lines.length - 1].length - word.length) * 7.8 - pane.query.scrollLeft, pane.query.clientWidth - 220)}px`;
  hints.list.innerHTML = hints.items.map(([n, t], i) => `<li role="option" data-i="${i}" aria-selected="${i === 0}">${n}<i>${t}</i></li>`).join("");
  hints.list.hidden = false;
};
const choose = (i) => {
  pane.query.setRangeText(hints.items[i][0], hints.from, pane.query.selectionStart, "end");
  hide(); changed();
};
const move = (by) => {
  hints.at = (hints.at + by + hints.items.length) % hints.items.length;
  [...hints.list.children].forEach((li, i) => { li.setAttribute("aria-selected", i === hints.at); if (i === hints.at) li.scrollIntoView({ block: "nearest" }); });
};

// -- wiring -----------------------------------------------------------------------------------------------------------
const changed = () => { paint(); for (const name of ["query", "variables"]) sessionStorage.setItem("strata." + name, pane[name].value); };
pane.query.addEventListener("input", (e) => { changed(); if (/\w/.test(e.data || "")) suggest(); else hide(); });
pane.query.addEventListener("scroll", () => { paint(); hide(); });
pane.query.addEventListener("blur", () => setTimeout(hide, 150));
pane.query.addEventListener("keydown", (e) => {
  if (!hints.list.hidden && ["ArrowDown", "ArrowUp", "Enter", "Tab", "Escape"].includes(e.key) && !e.ctrlKey) {
    e.preventDefault();
    if (e.key === "ArrowDown") move(1); else if (e.key === "ArrowUp") move(-1); else if (e.key === "Escape") hide(); else choose(hints.at);
  } else if (e.key === " " && e.ctrlKey) { e.preventDefault(); suggest(); }
});
hints.list.addEventListener("mousedown", (e) => { const li = e.target.closest("li"); if (li) { e.preventDefault(); choose(+li.dataset.i); } });
pane.variables.addEventListener("input", changed);
pane.key.addEventListener("change", load);
$("run").addEventListener("click", run);
$("tidy").addEventListener("click", () => { pane.query.value = tidy(pane.query.value); changed(); });
$("toggle").addEventListener("click", () => { $("docs").hidden = !$("docs").hidden; $("toggle").setAttribute("aria-expanded", String(!$("docs").hidden)); });
$("search").addEventListener("input", find);
$("doc").addEventListener("click", go);
$("doc").addEventListener("keydown", go);
for (const name of ["variables", "headers"]) $("tab-" + name).addEventListener("click", () => {
  for (const other of ["variables", "headers"]) { pane[other].hidden = other !== name; $("tab-" + other).setAttribute("aria-selected", String(other === name)); }
});
document.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); hide(); run(); }
  if (e.key.toLowerCase() === "p" && e.ctrlKey && e.shiftKey) { e.preventDefault(); $("tidy").click(); }
});
for (const name of Object.keys(EXAMPLES)) $("examples").add(new Option(name, name));
$("examples").addEventListener("change", (e) => { if (e.target.value) { [pane.query.value, pane.variables.value] = EXAMPLES[e.target.value]; e.target.value = ""; changed(); } });
pane.key.value = sessionStorage.getItem("strata.key") || "";
pane.query.value = new URLSearchParams(location.search).get("query") || sessionStorage.getItem("strata.query") || EXAMPLES["Largest accounts"][0];
pane.variables.value = new URLSearchParams(location.search).get("variables") || sessionStorage.getItem("strata.variables") || "";
paint();
load();
