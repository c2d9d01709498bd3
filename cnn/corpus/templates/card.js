"use strict";
document.querySelectorAll(".clip").forEach((button) => {
  const audio = button.nextElementSibling;
  button.addEventListener("click", () => {
    document.querySelectorAll("audio").forEach((other) => { if (other !== audio) { other.pause(); } });
    if (audio.paused) { audio.currentTime = 0; audio.play(); } else { audio.pause(); }
  });
  ["play", "pause", "ended"].forEach((name) => audio.addEventListener(name, () => {
    button.setAttribute("aria-pressed", String(!audio.paused && !audio.ended));
  }));
});
