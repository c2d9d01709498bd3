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

  /* Times in UTC get the reader's own beside them: the hour alone on the same day. */
  const hour = new Intl.DateTimeFormat(language, { timeStyle: "short" });
  const dayAndHour = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
  for (const time of document.querySelectorAll("time[data-also]")) {
    const moment = new Date(time.dateTime);
    if (!moment.getTimezoneOffset()) continue;
    const isSameDay = moment.getDate() === moment.getUTCDate();
    const local = document.createElement("span");
    local.className = "local";
    local.textContent = `${(isSameDay ? hour : dayAndHour).format(moment)} ${words.yourTime}`;
    time.after(" ", local);
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
  }

  /* The whole page takes a dropped file, so that one that misses the field does not replace the page. */
  const first = document.querySelector(".drop input[type=file]");
  if (first) {
    const isFile = (event) => Array.from(event.dataTransfer ? event.dataTransfer.types : []).includes("Files");
    const show = (event, on) => {
      const below = event.target instanceof Element ? event.target.closest(".drop") : null;
      for (const zone of document.querySelectorAll(".drop")) zone.classList.toggle("over", on && zone === (below || first.closest(".drop")));
    };
    document.addEventListener("dragover", (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      show(event, true);
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) show(event, false);
    });
    document.addEventListener("drop", (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      show(event, false);
      const below = event.target instanceof Element ? event.target.closest(".drop") : null;
      for (const file of event.dataTransfer.files) put(file, below ? below.querySelector("input[type=file]") : first);
    });
  }
})();
