/* What script adds to pages that work without it: the reader's own time, and dropping a file. */
"use strict";
(() => {
  const language = document.documentElement.lang;
  const words = document.documentElement.dataset;

  const zone = { dateStyle: "medium", timeStyle: "short" };
  for (const time of document.querySelectorAll("time[data-local]")) {
    const moment = new Date(time.dateTime);
    const local = new Intl.DateTimeFormat(language, zone).format(moment);
    time.textContent = local;
    const said = time.nextElementSibling;
    if (said && said.dataset.is === "zone") said.textContent = words.yourTime;
  }

  const spans = document.querySelectorAll("[data-until]");
  const part = (n, pattern) => pattern.replace("{n}", String(n));
  const span = (minutes) => {
    const days = Math.floor(minutes / 1440), hours = Math.floor(minutes / 60) % 24, rest = minutes % 60;
    const parts = [];
    if (days) parts.push(part(days, words.days));
    if (days || hours) parts.push(part(hours, words.hours));
    if (!days) parts.push(part(rest, words.minutes));
    return parts.join(" ");
  };
  const tick = () => {
    for (const place of spans) {
      const minutes = Math.floor((new Date(place.dataset.until) - Date.now()) / 60000);
      const pattern = minutes >= 0 ? words.in : words.ago;
      place.textContent = pattern.replace("{span}", span(Math.abs(minutes)));
    }
  };
  if (spans.length) {
    tick();
    setInterval(tick, 20000);
  }

  for (const zoneOfDrop of document.querySelectorAll(".drop")) {
    const input = zoneOfDrop.querySelector("input[type=file]");
    const mark = (on) => (event) => {
      event.preventDefault();
      zoneOfDrop.classList.toggle("over", on);
    };
    zoneOfDrop.addEventListener("dragover", mark(true));
    zoneOfDrop.addEventListener("dragleave", mark(false));
    zoneOfDrop.addEventListener("drop", (event) => {
      mark(false)(event);
      if (event.dataTransfer && event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
        input.focus();
      }
    });
  }
})();
