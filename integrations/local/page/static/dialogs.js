// The app's modals and the confirmations of buttons. The browser's dialog element traps focus and handles Escape.

import { renderBlocks } from "./blocks.js";
import { h } from "./dom.js";
import { textObject } from "./text.js";

let serial = 0;

function dialog(title, properties, body, footer, dismissed) {
  const id = `dialog-${++serial}`;
  const close = h("button", { type: "button", class: "plain", "aria-label": "Close", onclick: dismissed }, "✕");
  const element = h(
    "dialog",
    { role: "dialog", "aria-modal": "true", "aria-labelledby": id, ...properties },
    h("form", { method: "dialog", novalidate: true }, h("header", {}, h("h2", { id }, title), close), h("div", { class: "dialog-body", tabindex: "0" }, body), h("footer", {}, footer)),
  );
  element.addEventListener("cancel", (event) => {
    event.preventDefault();
    dismissed();
  });
  document.body.append(element);
  element.showModal();
  return element;
}

/** Show a button's `confirm` dialog; resolves to whether the person agreed. */
export function confirmed(question, context) {
  return new Promise((resolve) => {
    const finish = (answer) => {
      element.close();
      element.remove();
      resolve(answer);
    };
    const style = question.style === "danger" ? "danger" : "primary";
    const footer = [
      h("button", { type: "button", class: "button", onclick: () => finish(false) }, question.deny.text),
      h("button", { type: "button", class: `button ${style}`, "data-testid": "confirm", onclick: () => finish(true) }, question.confirm.text),
    ];
    const element = dialog(question.title.text, { class: "confirm" }, textObject(question.text, context), footer, () => finish(false));
  });
}

/** The values of the inputs of a modal: {block_id: {action_id: value}}. */
function entered(element) {
  const values = {};
  for (const field of element.querySelectorAll("[data-block-id]")) {
    const checked = [...field.querySelectorAll("input:checked")].map((input) => input.value);
    const isGroup = field.matches("fieldset");
    const several = isGroup && field.querySelector("input[type=checkbox]");
    const value = several ? checked : isGroup ? (checked[0] ?? null) : field.value || null;
    (values[field.dataset.blockId] ??= {})[field.dataset.actionId] = value;
  }
  return values;
}

function restore(element, values) {
  for (const field of element.querySelectorAll("[data-block-id]")) {
    const value = values[field.dataset.blockId]?.[field.dataset.actionId];
    if (value === undefined) continue;
    if (!field.matches("fieldset")) field.value = value ?? "";
    else for (const input of field.querySelectorAll("input")) input.checked = [value].flat().includes(input.value);
  }
}

/** Save the focus and caret in a modal; returns a function that restores them after a redraw. */
function placeIn(element) {
  const field = document.activeElement.closest("[data-block-id]");
  if (!element.contains(field)) return () => {};
  const { value, selectionStart, selectionEnd } = document.activeElement;
  return (drawn) => {
    const same = drawn.querySelector(`[data-block-id="${CSS.escape(field.dataset.blockId)}"]`);
    const next = same?.matches("fieldset") ? [...same.querySelectorAll("input")].find((input) => input.value === value) : same;
    next?.focus();
    if (typeof selectionStart === "number") next?.setSelectionRange?.(selectionStart, selectionEnd);
  };
}

/** Keeps the visible modal in sync with the state. `handlers`: submit, press and close. */
export class ModalStage {
  constructor(handlers) {
    this.handlers = handlers;
    this.shown = null;
    this.element = null;
  }

  update(modal, context) {
    const signature = modal && JSON.stringify(modal);
    if (signature === this.shown) return;
    const isSame = this.element?.dataset.viewId === modal?.view_id;
    const values = this.element && isSame ? entered(this.element) : {};
    const opener = this.element ? this.opener : document.activeElement;
    const goBack = this.element && isSame ? placeIn(this.element) : () => {};
    this.element?.close();
    this.element?.remove();
    this.element = null;
    this.shown = signature;
    if (modal) {
      this.show(modal, context, values, opener);
      goBack(this.element);
    } else if (this.opener?.isConnected) this.opener.focus();
  }

  show(modal, context, values, opener) {
    this.opener = opener;
    const close = () => this.handlers.close(modal);
    const press = (element, value, pressed) => this.handlers.press(modal, element, entered(this.element), pressed);
    const body = renderBlocks(modal.blocks, { ...context, press }, modal.errors);
    const footer = [h("button", { type: "button", class: "button", onclick: close }, modal.close)];
    if (modal.submit) {
      footer.push(h("button", { type: "submit", class: "button primary", "data-testid": "modal-submit" }, modal.submit));
    }
    this.element = dialog(modal.title, { class: "modal", "data-testid": "modal", "data-view-id": modal.view_id }, body, footer, close);
    restore(this.element, values);
    this.element.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.handlers.submit(modal, entered(this.element), event.submitter);
    });
  }
}
