// The input box for messages and slash commands, with suggestions for the commands.

import { h } from "./dom.js";

/** Create a composer. `send(text)` resolves to whether the text was accepted; if not, it is put back into the box. */
export function composer({ id, label, hintsFor, send }) {
  const list = h("ul", { class: "hints", id: `${id}-hints`, role: "listbox", "aria-label": "Commands", hidden: true });
  const box = h("textarea", {
    id: `${id}-text`,
    rows: 1,
    placeholder: label,
    "aria-label": label,
    "aria-controls": `${id}-hints`,
    "aria-autocomplete": "list",
    "data-testid": id,
  });
  const button = h("button", { type: "submit", class: "button primary", "data-testid": `${id}-send` }, "Send");
  const form = h("form", { class: "composer" }, list, box, button);
  let chosen = -1;

  const options = () => [...list.children];
  const mark = (index) => {
    chosen = index;
    options().forEach((option, place) => option.setAttribute("aria-selected", String(place === index)));
    const active = options()[index];
    if (active) box.setAttribute("aria-activedescendant", active.id);
    else box.removeAttribute("aria-activedescendant");
  };
  const take = (text) => {
    box.value = text;
    list.hidden = true;
    box.focus();
  };
  const suggest = () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 200)}px`;
    const hints = box.value.startsWith("/") ? hintsFor().filter(({ text }) => text.startsWith(box.value.trim())) : [];
    list.replaceChildren(
      ...hints.map(({ text, means }, index) =>
        h("li", { role: "option", id: `${id}-hint-${index}`, onmousedown: (event) => { event.preventDefault(); take(text); } }, h("strong", {}, text), h("span", { class: "quiet" }, means)),
      ),
    );
    list.hidden = hints.length === 0 || document.activeElement !== box;
    mark(-1);
  };
  const submit = async () => {
    const text = box.value.trim();
    if (!text) return;
    // Clear the box at once, so that text typed while this is being sent is kept.
    box.value = "";
    suggest();
    box.focus();
    if (await send(text)) return;
    box.value = [text, box.value].filter(Boolean).join("\n");
    suggest();
  };

  box.addEventListener("input", suggest);
  box.addEventListener("blur", () => { list.hidden = true; });
  box.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const count = options().length;
      mark((chosen + (event.key === "ArrowDown" ? 1 : -1) + count) % count);
    } else if (open && event.key === "Escape") {
      list.hidden = true;
    } else if (open && event.key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      take(options()[Math.max(chosen, 0)].firstChild.textContent);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (open && chosen >= 0) take(options()[chosen].firstChild.textContent);
      else submit();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  return { element: form, rename: (words) => { box.placeholder = words; box.setAttribute("aria-label", words); } };
}
