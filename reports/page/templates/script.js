"use strict";
// Sort, filter, show and hide, copy. Without this script every table and figure is complete and in its own order.
const words = document.body.dataset;
const make = (name, text, ...classes) => {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  element.classList.add(...classes);
  return element;
};

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
    const button = make("button", head.textContent);
    button.type = "button";
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") === "descending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((a, b) => compare(value(a, column), value(b, column)));
      body.append(...(up ? rows : rows.reverse()));
    });
  });
}

for (const table of document.querySelectorAll("table.filterable")) {
  const input = make("input", "", "filter");
  input.type = "search";
  input.placeholder = words.filterWord;
  input.setAttribute("aria-label", words.filterWord);
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
const cells = [...document.querySelectorAll("[data-model]")];
const groups = ["model", "filter", "aug"].map((key) => [key, [...new Set(cells.map((cell) => cell.dataset[key]))]]);
const names = new Map([["on", "aug"], ["off", words.plainWord]]);
for (const cell of cells) {
  const name = cell.querySelector(".training > span");
  if (name) names.set(cell.dataset.model, name.firstChild.textContent.trim());
}
if (groups.some(([, values]) => values.length > 1)) {
  const bar = make("p", `${words.showWord} `, "switches");
  const off = new Set();
  for (const [key, values] of groups.filter(([, values]) => values.length > 1)) {
    for (const value of values) {
      const button = make("button", names.get(value) || value);
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") === "true";
        button.setAttribute("aria-pressed", String(!shown));
        off[shown ? "add" : "delete"](`${key} ${value}`);
        for (const cell of cells) cell.hidden = groups.some(([name]) => off.has(`${name} ${cell.dataset[name]}`));
      });
      bar.append(button, " ");
    }
  }
  document.querySelector("header.top").append(bar);
}

if (navigator.clipboard) {
  for (const code of document.querySelectorAll(".command > code")) {
    const button = make("button", words.copyWord, "copy");
    button.type = "button";
    code.after(" ", button);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = words.copiedWord;
    });
  }
}
