// Turns Block Kit into DOM elements. Interactive elements call context.press(element, value).

import { h, link } from "./dom.js";
import { code, dateOf, markdown, textObject } from "./text.js";

function picture(object) {
  const source = object.slack_file
    ? `/page/files/${object.slack_file.id ?? object.slack_file.url.split("/").at(-1)}`
    : object.image_url;
  return h("img", { src: source, alt: object.alt_text });
}

function button(element, context) {
  const label = textObject(element.text, context);
  const properties = {
    type: "button",
    class: `button ${element.style ?? ""}`,
    "data-action-id": element.action_id,
    "aria-label": element.accessibility_label,
    onclick: (event) => {
      if (element.url) window.open(element.url, "_blank", "noopener");
      context.press(element, undefined, event.currentTarget);
    },
  };
  return h("button", properties, label);
}

const optionLabel = (option) => option.text.text;

function select(element, context) {
  const initial = element.initial_option?.value ?? "";
  const placeholder = element.placeholder?.text ?? (element.type === "overflow" ? "More…" : "Choose…");
  const properties = {
    class: "field",
    "data-action-id": element.action_id,
    "aria-label": placeholder,
    onchange: (event) => context.press(element, event.target.value, event.currentTarget),
  };
  const options = element.options.map((option) =>
    h("option", { value: option.value, selected: option.value === initial }, optionLabel(option)),
  );
  return h("select", properties, h("option", { value: "", disabled: true, selected: !initial }, placeholder), options);
}

function choices(element, context) {
  const kind = element.type === "checkboxes" ? "checkbox" : "radio";
  const initial = new Set((element.initial_options ?? [element.initial_option]).map((option) => option?.value));
  const group = h("fieldset", { class: "choices", "data-action-id": element.action_id });
  const changed = (event) => {
    const values = [...group.querySelectorAll("input:checked")].map((input) => input.value);
    context.press(element, kind === "checkbox" ? values : values[0], event.currentTarget);
  };
  for (const option of element.options) {
    const input = h("input", { type: kind, name: `${element.action_id}`, value: option.value, checked: initial.has(option.value), onchange: changed });
    group.append(h("label", {}, input, " ", optionLabel(option)));
  }
  return group;
}

function typed(element, context) {
  const shared = {
    class: "field",
    "data-action-id": element.action_id,
    placeholder: element.placeholder?.text,
    onchange: (event) => context.press(element, event.target.value, event.currentTarget),
  };
  if (element.type === "datepicker") return h("input", { ...shared, type: "date", value: element.initial_date });
  const limits = { minlength: element.min_length, maxlength: element.max_length };
  if (element.multiline) return h("textarea", { ...shared, ...limits, rows: 4 }, element.initial_value ?? "");
  return h("input", { ...shared, ...limits, type: "text", value: element.initial_value });
}

function interactive(element, context) {
  switch (element.type) {
    case "button": return button(element, context);
    case "image": return picture(element);
    case "static_select": case "overflow": return select(element, context);
    case "checkboxes": case "radio_buttons": return choices(element, context);
    default: return typed(element, context);
  }
}

function styled(part, node) {
  const style = part.style ?? {};
  if (style.code) node = h("code", {}, node);
  if (style.bold) node = h("strong", {}, node);
  if (style.italic) node = h("em", {}, node);
  return style.strike ? h("s", {}, node) : node;
}

function richPart(part, context) {
  switch (part.type) {
    case "text": return styled(part, part.text);
    case "link": return styled(part, link(part.url, part.text ?? part.url));
    case "date": return styled(part, dateOf(part.timestamp, part.format, part.fallback));
    case "emoji": return textObject({ type: "plain_text", text: `:${part.name}:` }, context);
    case "user": return h("span", { class: "mention" }, `@${context.users.get(part.user_id)?.name ?? part.user_id}`);
    case "channel": return h("span", { class: "mention" }, `#${context.channels.get(part.channel_id)?.name ?? part.channel_id}`);
    default: return h("span", { class: "mention" }, `@${part.range}`);
  }
}

function richElement(element, context) {
  const parts = () => element.elements.map((part) => richPart(part, context));
  switch (element.type) {
    case "rich_text_list":
      return h(element.style === "ordered" ? "ol" : "ul", { class: "rich-list" }, element.elements.map((item) => h("li", {}, item.elements.map((part) => richPart(part, context)))));
    case "rich_text_preformatted":
      return code(element.elements.map((part) => part.text ?? part.url ?? "").join(""), element.language);
    case "rich_text_quote": return h("blockquote", {}, parts());
    default: return h("p", { class: "rich" }, parts());
  }
}

function section(block, context) {
  const fields = block.fields?.map((field) => h("div", { class: "section-field" }, textObject(field, context)));
  return h(
    "div",
    { class: "section" },
    h("div", { class: "section-text" }, textObject(block.text, context), fields && h("div", { class: "section-fields" }, fields)),
    block.accessory && h("div", { class: "accessory" }, interactive(block.accessory, context)),
  );
}

function input(block, context, errors) {
  const problem = errors[block.block_id];
  const field = interactive(block.element, { ...context, press: () => {} });
  const id = `input-${block.block_id}`;
  if (field.matches("input, select, textarea")) field.id = id;
  field.dataset.blockId = block.block_id;
  if (problem) field.setAttribute("aria-invalid", "true");
  return h(
    "div",
    { class: "input" },
    h("label", { for: id }, textObject(block.label, context), block.optional && h("span", { class: "quiet" }, " (optional)")),
    field,
    block.hint && h("p", { class: "quiet" }, textObject(block.hint, context)),
    problem && h("p", { class: "problem", role: "alert" }, problem),
  );
}

function block(entry, context, errors) {
  switch (entry.type) {
    case "header": return h("p", { class: "header", role: "heading", "aria-level": "3" }, textObject(entry.text, context));
    case "divider": return h("hr");
    case "section": return section(entry, context);
    case "context":
      return h("div", { class: "context" }, entry.elements.map((part) => (part.type === "image" ? picture(part) : h("span", {}, textObject(part, context)))));
    case "actions": return h("div", { class: "actions" }, entry.elements.map((element) => interactive(element, context)));
    case "image":
      return h("figure", {}, entry.title && h("figcaption", {}, textObject(entry.title, context)), picture(entry));
    case "rich_text": return h("div", {}, entry.elements.map((element) => richElement(element, context)));
    case "markdown": return h("div", {}, markdown(entry.text, context));
    case "input": return input(entry, context, errors);
    default: return null;
  }
}

/** The elements for all blocks of a message or a view; `errors` are shown under the inputs, by block id. */
export function renderBlocks(blocks, context, errors = {}) {
  return blocks.map((entry) => block(entry, context, errors));
}
