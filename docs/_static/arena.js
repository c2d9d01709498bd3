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
