"use strict";
// Open, switch, sort, filter, hide, copy, save. Without this script every table and figure is complete and in its own order.
const words = document.body.dataset;
const make = (name, text, ...classes) => {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  if (classes.length) element.classList.add(...classes);
  return element;
};
const makeButton = (text, action, ...classes) => {
  const button = make("button", text, ...classes);
  button.type = "button";
  button.addEventListener("click", action);
  return button;
};

// Folds. A reload keeps those that are open, for `arena report serve` reloads the page while a sweep runs.
const folds = [...document.querySelectorAll("main details")];
const openAll = (isOpen) => folds.forEach((fold) => (fold.open = isOpen));
const remember = (key, value) => {
  try {
    const name = `${location.pathname} ${key}`;
    if (value === undefined) return JSON.parse(sessionStorage.getItem(name));
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    return null; // a browser that stores nothing
  }
};
(remember("open") || []).forEach((n) => folds[n] && (folds[n].open = true));
addEventListener("pagehide", () => remember("open", [...folds.keys()].filter((n) => folds[n].open)));
let closed = [];
addEventListener("beforeprint", () => {
  closed = folds.filter((fold) => !fold.open);
  openAll(true);
});
addEventListener("afterprint", () => closed.forEach((fold) => (fold.open = false)));

// One study at a time, chosen above; a browser's search in the page finds the others and shows them.
const studies = [...document.querySelectorAll("article.study")];
const chooser = make("select");
const showStudy = (id) => {
  chooser.value = id;
  for (const study of studies) study.id === id ? study.removeAttribute("hidden") : study.setAttribute("hidden", "until-found");
  remember("study", id);
};
if (studies.length > 1) {
  for (const study of studies) {
    const option = make("option", study.querySelector("h3").textContent.replace(/\s+/g, " ").trim());
    option.value = study.id;
    chooser.append(option);
    study.addEventListener("beforematch", () => showStudy(study.id));
  }
  chooser.addEventListener("change", () => showStudy(chooser.value));
  const label = make("label", `${words.study} `, "chooser");
  label.append(chooser);
  studies[0].before(label);
  const last = remember("study");
  showStudy(studies.some((study) => study.id === last) ? last : studies[0].id);
}

// A link into a fold opens it.
const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const study = target.closest("article.study");
  if (study) showStudy(study.id);
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  (target.parentElement.matches("details.fold") ? target.parentElement : target).scrollIntoView();
};
addEventListener("hashchange", reveal);
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (link && link.hash === location.hash) reveal();
});
reveal();

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const value = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return "";
    const text = cell.dataset.value || cell.textContent.trim();
    const number = parseFloat(text.replace(/[,\u202f]/g, "").replace("\u2212", "-"));
    return cell.classList.contains("n") && !Number.isNaN(number) ? number : text;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : typeof a === "number" ? -1 : typeof b === "number" ? 1 : a.localeCompare(b);
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const sort = () => {
      const up = head.getAttribute("aria-sort") === "descending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((a, b) => compare(value(a, column), value(b, column)));
      body.append(...(up ? rows : rows.reverse()));
    };
    head.replaceChildren(makeButton(head.textContent, sort));
  });
}

for (const table of document.querySelectorAll("table.filterable")) {
  const input = make("input", "", "filter");
  input.type = "search";
  input.placeholder = words.filter;
  input.setAttribute("aria-label", words.filter);
  table.before(input);
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase().split(/\s+/);
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word));
    }
  });
}

// One row of switches: a model, filter or augmentation that is off is hidden in every table and figure.
const bar = make("p", "", "switches");
const cells = [...document.querySelectorAll("[data-model]")];
const groups = ["model", "filter", "aug"].map((key) => [key, [...new Set(cells.map((cell) => cell.dataset[key]))]]);
const names = new Map([["on", "aug"], ["off", words.noAug]]);
for (const cell of cells) {
  const name = cell.querySelector(".training > span");
  if (name) names.set(cell.dataset.model, name.firstChild.textContent.trim());
}
const off = new Set();
for (const [key, values] of groups.filter(([, values]) => values.length > 1)) {
  if (!bar.childNodes.length) bar.append(`${words.show} `);
  for (const value of values) {
    const button = makeButton(names.get(value) || value, () => {
      const shown = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!shown));
      off[shown ? "add" : "delete"](`${key} ${value}`);
      for (const cell of cells) cell.hidden = groups.some(([name]) => off.has(`${name} ${cell.dataset[name]}`));
    });
    button.setAttribute("aria-pressed", "true");
    bar.append(button, " ");
  }
}

// The list of sections and keys. Letters act while it is open, and so never surprise who dictates or types elsewhere.
if (folds.length) {
  const help = make("dialog", "", "help");
  const list = make("ol");
  const links = [...document.querySelectorAll("nav a")].map((link, n) => {
    const item = make("li"), copy = link.cloneNode(true), key = make("kbd", String.fromCharCode(97 + n));
    const section = document.querySelector(link.hash);
    const gist = section.parentElement.querySelector(":scope > summary > .gist");
    copy.addEventListener("click", () => help.close());
    item.append(key, copy, make("span", gist ? gist.textContent : "", "soft"));
    list.append(item);
    return copy;
  });
  const toggleAll = () => openAll(folds.some((fold) => !fold.open));
  const rows = [["?", words.keyHelp], [`a\u2013${String.fromCharCode(96 + links.length)}`, words.keySection], ["+", words.keyAll]];
  const keys = make("ul");
  for (const [key, text] of rows) {
    const item = make("li");
    item.append(make("kbd", key), make("span", text));
    keys.append(item);
  }
  const title = make("h2", words.keyList);
  title.id = "key-list";
  help.setAttribute("aria-labelledby", title.id);
  help.append(title, list, keys, makeButton(words.close, () => help.close()));
  document.body.append(help);
  const all = makeButton("", toggleAll);
  const nameAll = () => (all.textContent = folds.some((fold) => !fold.open) ? words.openAll : words.closeAll);
  folds.forEach((fold) => fold.addEventListener("toggle", nameAll));
  nameAll();
  const opener = makeButton(`? ${words.keys}`, () => help.showModal());
  opener.setAttribute("aria-keyshortcuts", "?");
  opener.setAttribute("aria-haspopup", "dialog");
  const more = make("span", "", "more");
  more.append(all, " ", opener);
  bar.append(more);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const link = links[event.key.charCodeAt(0) - 97];
    if (event.key === "?") help.open ? help.close() : help.showModal();
    else if (help.open && event.key === "+") toggleAll();
    else if (help.open && event.key.length === 1 && link) link.click();
    else return;
    event.preventDefault();
  });
}
if (bar.childNodes.length) document.querySelector("header.top").append(bar);

if (navigator.clipboard) {
  for (const code of document.querySelectorAll(".command > code")) {
    const copy = async () => {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = words.copied;
    };
    const button = makeButton(words.copy, copy, "copy");
    code.after(" ", button);
  }
}

// Saved figures stand alone: the rules that reach them inside, the variables of light mode in place, a ground to be read on.
const rules = [...document.styleSheets[0].cssRules];
const light = rules[0].style;
const resolve = (text) => text.replace(/var\((--[a-z-]+)\)/g, (name, variable) => light.getPropertyValue(variable).trim() || name);
const standalone = (svg) => {
  const copy = svg.cloneNode(true);
  const reach = (rule) => rule.selectorText && (copy.matches(rule.selectorText) || copy.querySelector(rule.selectorText));
  const style = document.createElementNS(svg.namespaceURI, "style");
  style.textContent = ["svg { font-family: var(--sans); }", ...rules.filter(reach).map((rule) => rule.cssText)].join("\n");
  const ground = document.createElementNS(svg.namespaceURI, "rect");
  for (const [name, value] of [["width", "100%"], ["height", "100%"], ["fill", "var(--paper)"]]) ground.setAttribute(name, value);
  copy.prepend(style, ground);
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(resolve(new XMLSerializer().serializeToString(copy)))}`;
};
const paint = async (svg) => {
  const picture = new Image();
  picture.src = standalone(svg);
  await picture.decode();
  const canvas = make("canvas");
  [canvas.width, canvas.height] = [2 * svg.viewBox.baseVal.width, 2 * svg.viewBox.baseVal.height];
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
};
for (const figure of document.querySelectorAll("figure")) {
  const pictures = [...figure.querySelectorAll("svg[role=img]")];
  if (!pictures.length) continue;
  const controls = make("span", "", "save");
  for (const [kind, draw] of [["SVG", standalone], ["PNG", paint]]) {
    const save = async () => {
      const svg = pictures.find((picture) => picture.getClientRects().length);
      const link = make("a");
      link.download = `${svg.getAttribute("aria-label").replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 80)}.${kind.toLowerCase()}`;
      link.href = await draw(svg);
      link.click();
    };
    const button = makeButton(kind, save);
    button.setAttribute("aria-label", `${words.save} ${kind}: ${pictures[0].getAttribute("aria-label")}`);
    controls.append(button);
  }
  figure.append(controls);
}
