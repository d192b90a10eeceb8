// Shows Adaptive Cards as Teams does, read-only.

import { h, link } from "./dom.js";
import { cardRun, markdown } from "./text.js";

const NO_NAMES = { users: new Map(), channels: new Map() };

function facts(element) {
  return h("dl", { class: "facts" }, element.facts.map((fact) => [h("dt", {}, fact.title), h("dd", {}, markdown(fact.value, NO_NAMES))]));
}

function textBlock(element) {
  const classes = ["card-text", `size-${(element.size ?? "default").toLowerCase()}`];
  if (element.weight?.toLowerCase() === "bolder") classes.push("bolder");
  if (element.isSubtle) classes.push("quiet");
  if (element.color) classes.push(`color-${element.color.toLowerCase()}`);
  return h("div", { class: classes.join(" ") }, markdown(element.text, NO_NAMES));
}

function run(part) {
  if (typeof part === "string") return cardRun(part);
  const classes = [`size-${(part.size ?? "default").toLowerCase()}`];
  if (part.weight?.toLowerCase() === "bolder") classes.push("bolder");
  if (part.isSubtle) classes.push("quiet");
  if (part.color) classes.push(`color-${part.color.toLowerCase()}`);
  const text = part.selectAction?.url ? link(part.selectAction.url, part.text) : cardRun(part.text);
  return h(part.fontType === "Monospace" ? "code" : "span", { class: classes.join(" ") }, text);
}

function action(entry) {
  if (entry.type === "Action.OpenUrl") return h("span", { class: "button-link" }, link(entry.url, entry.title ?? entry.url));
  if (entry.type === "Action.ShowCard") return h("details", {}, h("summary", {}, entry.title ?? "More"), renderCard(entry.card));
  return null;
}

const actions = (entries = []) => (entries.length ? h("div", { class: "actions" }, entries.map(action)) : null);
const all = (elements = []) => elements.map(element);

function element(entry) {
  switch (entry.type) {
    case "TextBlock": return textBlock(entry);
    case "RichTextBlock": return h("div", { class: "card-text" }, entry.inlines.map(run));
    case "FactSet": return facts(entry);
    case "Image": return h("img", { src: entry.url, alt: entry.altText ?? "", loading: "lazy" });
    case "ImageSet": return h("div", {}, all(entry.images.map((image) => ({ ...image, type: "Image" }))));
    case "Container": return h("div", { class: `container ${entry.style ?? ""}` }, all(entry.items));
    case "ColumnSet": return h("div", { class: "columns" }, (entry.columns ?? []).map((column) => h("div", {}, all(column.items))));
    case "ActionSet": return actions(entry.actions);
    case "Table": return h("table", {}, (entry.rows ?? []).map((row) => h("tr", {}, (row.cells ?? []).map((cell) => h("td", {}, all(cell.items))))));
    default: return null;
  }
}

/** The element for one card. */
export function renderCard(card) {
  return h("div", { class: "adaptive-card" }, all(card.body), actions(card.actions));
}
