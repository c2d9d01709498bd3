// Boxes that scroll sideways can be reached by the keyboard.
addEventListener("load", () => {
  for (const box of document.querySelectorAll("pre, .table-wrapper")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
// A page opened from a folder may not read its neighbours, so results have no excerpts there.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
// Sphinx marks the words of a search, and stops with an error in the titles of Furo's icons.
for (const title of document.querySelectorAll("symbol > title")) title.remove();
// A message is pasted with names and numbers of its own: a search leaves out words that no page has, a long one numbers too.
document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return;
  const parse = Search._parseQuery;
  Search._parseQuery = (query) => {
    const parts = parse(query);
    const words = Object.keys({ ...Search._index.terms, ...Search._index.titleterms });
    const isKnown = (term) => words.includes(term) || (term.length > 2 && words.some((word) => word.includes(term)));
    const isMessage = parts[1].size > 4;
    const terms = [...parts[1]].filter((term) => isKnown(term) && !(isMessage && /\d/.test(term)));
    if (terms.length) parts[1] = new Set(terms);
    return parts;
  };
});
