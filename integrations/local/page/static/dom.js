// Builds DOM elements. Text always becomes a text node, so text written by people cannot become markup.

/** Create an element with properties, `data-*`/`aria-*` attributes, listeners (`onclick`) and children. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A link that opens in a new tab; a URL that is not http(s) or mailto is shown as plain text. */
export function link(address, ...children) {
  let safe = false;
  try {
    safe = ["http:", "https:", "mailto:"].includes(new URL(address, location.href).protocol);
  } catch {
    safe = false;
  }
  const shown = children.length ? children : [address];
  return safe ? h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, shown) : h("span", {}, shown);
}

/**
 * Update the children of `container` to match `items` and touch only what changed: an item with unchanged JSON keeps
 * its element, so focus, scroll position and half-typed text survive an update.
 */
export function sync(container, items, keyOf, build) {
  const known = new Map([...container.children].map((element) => [element.dataset.key, element]));
  const focused = document.activeElement?.closest?.("[data-action-id]")?.dataset.actionId;
  let previous = null;
  for (const item of items) {
    const key = keyOf(item);
    const signature = JSON.stringify(item);
    let element = known.get(key);
    known.delete(key);
    if (!element || element.signature !== signature) {
      const held = element?.contains(document.activeElement);
      const fresh = build(item);
      fresh.dataset.key = key;
      fresh.signature = signature;
      element?.replaceWith(fresh);
      element = fresh;
      if (held && focused) fresh.querySelector(`[data-action-id="${CSS.escape(focused)}"]`)?.focus();
    }
    const place = previous ? previous.nextElementSibling : container.firstElementChild;
    if (place !== element) container.insertBefore(element, place);
    previous = element;
  }
  for (const element of known.values()) element.remove();
}
