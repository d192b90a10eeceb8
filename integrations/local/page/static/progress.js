// What is being prepared, step by step, with the time each took.

import { h, sync } from "./dom.js";

const seconds = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;

function item(step) {
  const running = step.seconds === null;
  const detail = step.detail && h("span", { class: "quiet" }, ` ${step.detail}`);
  const clock = h("span", { class: "clock quiet" }, running ? "" : seconds(step.seconds));
  if (running) clock.dataset.since = step.started_at;
  const sign = h("span", { class: "sign", "aria-hidden": "true" }, running ? "…" : "✓");
  const properties = { class: running ? "running" : "done", "data-testid": "step", "aria-current": running ? "step" : undefined };
  return h("li", properties, sign, h("span", { class: "doing" }, step.doing, detail), clock);
}

let timer = null;

/** Draw the progress into `section`; without steps it is hidden. Running steps count their seconds. */
export function drawProgress(section, progress) {
  section.hidden = progress.steps.length === 0;
  clearInterval(timer);
  if (section.hidden) return;
  section.querySelector("h2").textContent = progress.title;
  section.querySelector("p").textContent = progress.note;
  const keyed = progress.steps.map((step, index) => ({ ...step, key: String(index) }));
  sync(section.querySelector("ol"), keyed, (step) => step.key, item);
  // By the workspace's clock, which may differ from the reader's.
  const ahead = progress.now - Date.now() / 1000;
  const tick = () => {
    for (const clock of section.querySelectorAll("[data-since]")) {
      clock.textContent = seconds(Math.max(0, Date.now() / 1000 + ahead - Number(clock.dataset.since)));
    }
  };
  tick();
  timer = setInterval(tick, 500);
}
