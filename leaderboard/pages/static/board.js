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

  /* A file goes to the field of its form that takes its ending, wherever it was dropped, else to the one below it. */
  const put = (file, below) => {
    const takes = (input) => input.accept.split(",").some((end) => end[0] === "." && file.name.toLowerCase().endsWith(end));
    const input = Array.from(below.form.querySelectorAll("input[type=file]")).find(takes) || below;
    const data = new DataTransfer();
    data.items.add(file);
    input.files = data.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  };
  for (const zoneOfDrop of document.querySelectorAll(".drop")) {
    const input = zoneOfDrop.querySelector("input[type=file]");
    input.addEventListener("change", () => {
      const isTooLarge = Array.from(input.files).some((file) => file.size > Number(input.dataset.most));
      input.setCustomValidity(isTooLarge ? input.dataset.tooLarge : "");
      if (isTooLarge) input.reportValidity();
    });
    const mark = (on) => (event) => {
      event.preventDefault();
      zoneOfDrop.classList.toggle("over", on);
    };
    zoneOfDrop.addEventListener("dragover", mark(true));
    zoneOfDrop.addEventListener("dragleave", mark(false));
    zoneOfDrop.addEventListener("drop", (event) => {
      mark(false)(event);
      for (const file of event.dataTransfer ? event.dataTransfer.files : []) put(file, input);
    });
  }
})();
