// The page: reads the state, draws it, and sends the person's actions.

import { PAUSE_MS, follow, readState, send } from "./api.js";
import { renderCard } from "./cards.js";
import { composer } from "./composer.js";
import { ModalStage, confirmed } from "./dialogs.js";
import { h, sync } from "./dom.js";
import { avatar, dayOf, renderMessage, timeOf } from "./messages.js";
import { drawProgress } from "./progress.js";

const TEAMS = "teams";
const WIDE = matchMedia("(min-width: 1100px)");
const byId = (id) => document.getElementById(id);

const view = {
  state: null,
  user: localStorage.getItem("user"),
  channel: null,
  // undefined: the newest thread, if there is room for it; null: closed by the person; otherwise the root's ts.
  thread: undefined,
  seen: new Map(),
};

function notice(text) {
  const element = h("p", { "data-testid": "notice" }, text);
  byId("notices").append(element);
  setTimeout(() => element.remove(), 8000);
}

/** Run one action: report its error, and mark the control that started it as busy meanwhile. */
async function attempt(deed, control) {
  if (control) {
    control.disabled = true;
    control.setAttribute("aria-busy", "true");
  }
  try {
    await deed();
    return true;
  } catch (error) {
    notice(error.code ? `${error.message} (${error.code})` : "The workspace cannot be reached.");
    return false;
  } finally {
    if (control) {
      control.disabled = false;
      control.removeAttribute("aria-busy");
    }
  }
}

function context() {
  return {
    users: new Map(view.state.users.map((user) => [user.id, user])),
    channels: new Map(view.state.channels.map((channel) => [channel.id, channel])),
    openThread: (message) => openThread(message.ts),
    act,
  };
}

async function act(message, element, value, control) {
  if (element.confirm && !(await confirmed(element.confirm, context()))) return;
  const body = { user: view.user, channel: message.channel, message_ts: message.ts, action_id: element.action_id, value };
  await attempt(() => send("/page/act", body), control);
}

const modals = new ModalStage({
  submit: (modal, values, control) =>
    attempt(() => send(`/page/modals/${modal.view_id}/submit`, { user: view.user, values }), control),
  close: (modal) => attempt(() => send(`/page/modals/${modal.view_id}/close`, { user: view.user })),
  press: async (modal, element, values, control) => {
    if (element.confirm && !(await confirmed(element.confirm, context()))) return;
    const body = { user: view.user, action_id: element.action_id, values };
    await attempt(() => send(`/page/modals/${modal.view_id}/act`, body), control);
  },
});

const hintsFor = () =>
  view.state.commands.flatMap((command) => command.hints.map(({ text, means }) => ({ text: `${command.name} ${text}`, means })));

async function say(text, threadTs) {
  const body = { user: view.user, channel: view.channel, text };
  if (text.startsWith("/")) return attempt(() => send("/page/command", body));
  return attempt(() => send("/page/messages", { ...body, thread_ts: threadTs ?? null }));
}

const mainComposer = composer({ id: "composer", label: "Message", hintsFor, send: (text) => say(text) });
const threadComposer = composer({ id: "thread-composer", label: "Reply", hintsFor, send: (text) => say(text, shownThread()?.ts) });

function inChannel() {
  return view.state.messages.filter((message) => message.channel === view.channel);
}

function shownThread() {
  const messages = inChannel();
  if (view.thread) return messages.find((message) => message.ts === view.thread);
  if (view.thread === null || !WIDE.matches) return undefined;
  return messages.findLast((message) => message.thread.length > 0);
}

function openThread(ts) {
  view.thread = ts;
  draw();
  byId("thread-composer-text").focus({ preventScroll: true });
}

function openChannel(id) {
  view.channel = id;
  view.thread = undefined;
  menu(false);
  byId("messages").atEnd = true;
  draw();
}

function menu(open) {
  byId("workspace").classList.toggle("menu-open", open);
  byId("menu").setAttribute("aria-expanded", String(open));
}

const newest = (channelId) =>
  view.state.messages.filter((message) => message.channel === channelId).flatMap((message) => [message.ts, ...message.thread.map((reply) => reply.ts)]).sort().at(-1) ?? "";

function channelItem(entry) {
  const label = [h("span", { class: "sign", "aria-hidden": "true" }, entry.sign), entry.name];
  const properties = {
    type: "button",
    class: `plain channel ${entry.unread ? "unread" : ""}`,
    "aria-current": entry.current ? "page" : undefined,
    "data-testid": "channel",
    onclick: () => openChannel(entry.id),
  };
  return h("li", {}, h("button", properties, label, entry.unread && h("span", { class: "dot", "aria-label": "unread" })));
}

function drawSidebar() {
  view.seen.set(view.channel, view.channel === TEAMS ? String(view.state.teams.length) : newest(view.channel));
  const entries = view.state.channels.map((channel) => ({
    id: channel.id,
    name: channel.name,
    sign: channel.is_direct ? "●" : "#",
    current: channel.id === view.channel,
    unread: (view.seen.get(channel.id) ?? "") < newest(channel.id),
  }));
  sync(byId("channels"), entries, (entry) => entry.id, channelItem);
  const posts = view.state.teams.length;
  const teams = { id: TEAMS, name: "Escalations", sign: "◆", current: view.channel === TEAMS, unread: Number(view.seen.get(TEAMS) ?? 0) < posts };
  sync(byId("teams-channels"), [teams], (entry) => entry.id, channelItem);
  const people = view.state.users.filter((user) => !user.is_bot);
  sync(byId("user"), people, (user) => user.id, (user) => h("option", { value: user.id }, user.name));
  byId("user").value = view.user;
}

/** Messages with a separator where the day changes. */
function withDays(messages) {
  let day = "";
  return messages.flatMap((message) => {
    const own = dayOf(message.ts);
    const separator = own === day ? [] : [{ separator: own, ts: `day-${own}` }];
    day = own;
    return [...separator, message];
  });
}

const toEnd = (container) => {
  container.scrollTop = container.scrollHeight;
  container.lastTop = container.scrollTop;
};

/** Keep a list that is scrolled to its end there, also when a late picture makes it longer. */
function stickToEnd(container) {
  container.atEnd = true;
  container.lastTop = 0;
  container.addEventListener("scroll", () => {
    const isNear = container.scrollHeight - container.scrollTop - container.clientHeight < 80;
    // Only scrolling up leaves the end. When the content has grown since, the end has moved away by itself.
    container.atEnd = isNear || (container.atEnd && container.scrollTop >= container.lastTop);
    container.lastTop = container.scrollTop;
  });
  container.addEventListener("load", () => container.atEnd && toEnd(container), true);
}

function drawList(container, items, keyOf, build) {
  const { atEnd } = container;
  sync(container, items, keyOf, build);
  if (atEnd) toEnd(container);
}

function drawMessages() {
  const shared = context();
  const build = (entry) =>
    entry.separator ? h("p", { class: "day" }, h("span", {}, entry.separator)) : renderMessage(entry, shared, "message");
  const items = withDays(inChannel());
  drawList(byId("messages"), items.length ? items : [{ empty: true, ts: "empty", waits: view.state.progress.steps.length > 0 }], (entry) => entry.ts, (entry) =>
    entry.empty ? h("p", { class: "quiet nothing" }, view.state.progress.steps.length ? "The first message comes here." : "Nothing here yet.") : build(entry),
  );
}

function drawTeams() {
  const post = (entry) =>
    h(
      "article",
      { class: "message", "data-testid": "teams-post" },
      avatar("Workflows", true),
      h("div", { class: "content" }, h("p", { class: "author" }, h("strong", {}, "Workflows"), h("span", { class: "app" }, "APP"), " ", timeOf(entry.posted_at)), entry.cards.map(renderCard)),
    );
  const posts = view.state.teams;
  drawList(byId("messages"), posts.length ? posts : [{ id: "empty" }], (entry) => `teams-${entry.id}`, (entry) =>
    entry.cards ? post(entry) : h("p", { class: "quiet nothing" }, "Nobody has been called yet."),
  );
}

function drawThread() {
  const root = view.channel === TEAMS ? undefined : shownThread();
  byId("thread").hidden = !root;
  byId("workspace").classList.toggle("with-thread", Boolean(root));
  if (!root) return;
  const shared = { ...context(), openThread: null };
  const entries = [{ ...root, thread: [] }, ...root.thread];
  const container = byId("thread-messages");
  if (container.dataset.root !== root.ts) {
    container.replaceChildren();
    container.dataset.root = root.ts;
    container.atEnd = true;
  }
  drawList(container, entries, (entry) => entry.ts, (entry) =>
    renderMessage(entry, shared, entry.ts === root.ts ? "thread-root" : "thread-reply"),
  );
}

const LONGEST_PRESS_MS = 10_000;
let released = Promise.resolve();

/** Do not redraw while a pointer is pressed: a button that is replaced before the release gets no click. */
function waitForRelease(event) {
  // An open dropdown list may swallow the release event.
  if (event.button !== 0 || event.target.closest?.("select")) return;
  released = new Promise((resolve) => {
    // The click event comes right after the release and before the delayed redraw.
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(resolve), { once: true });
    setTimeout(resolve, LONGEST_PRESS_MS);
  });
}

function draw() {
  const channel = view.state.channels.find((entry) => entry.id === view.channel);
  const name = channel ? `${channel.is_direct ? "" : "#"}${channel.name}` : "Escalations";
  byId("channel-name").textContent = name;
  document.title = `${name} · Local workspace`;
  mainComposer.rename(`Message ${name} or /command`);
  byId("composer-place").hidden = !channel;
  drawSidebar();
  drawProgress(byId("progress"), view.state.progress);
  if (channel) drawMessages();
  else drawTeams();
  drawThread();
  modals.update(view.state.modals.at(-1) ?? null, context());
}

/** Read the state for this person; if the workspace does not know them, for its first person. */
async function stateFor(user) {
  try {
    return await readState(user);
  } catch (error) {
    if (error.code !== "user_not_found") throw error;
    return readState(null);
  }
}

let reading = false;
let again = false;
let retry = null;

/** Read the state and draw it. After changes during a read, read once more; retry a failed read after a pause. */
async function refresh() {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  try {
    do {
      again = false;
      const user = view.user;
      const state = await stateFor(user).catch(() => null);
      clearTimeout(retry);
      if (!state) retry = setTimeout(refresh, PAUSE_MS);
      await released;
      // If another person was selected meanwhile, their state is read next.
      if (!state || view.user !== user) continue;
      view.state = state;
      view.user = state.user;
      view.channel ??= state.channels[0].id;
      draw();
    } while (again);
  } finally {
    reading = false;
  }
}

stickToEnd(byId("messages"));
stickToEnd(byId("thread-messages"));
byId("composer-place").append(mainComposer.element);
byId("thread-composer-place").append(threadComposer.element);
// A person who has started a reply stays in its thread, also when a newer thread appears.
byId("thread-composer-place").addEventListener("input", () => { view.thread ??= shownThread()?.ts; });
addEventListener("pointerdown", waitForRelease, true);
byId("menu").addEventListener("click", () => menu(!byId("workspace").classList.contains("menu-open")));
byId("close-thread").addEventListener("click", () => {
  view.thread = null;
  draw();
  byId("composer-text").focus();
});
byId("user").addEventListener("change", (event) => {
  view.user = event.target.value;
  localStorage.setItem("user", view.user);
  refresh();
});
byId("workspace").addEventListener("click", (event) => {
  if (event.target === event.currentTarget) menu(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") menu(false);
});
WIDE.addEventListener("change", () => view.state && draw());
follow(refresh, (open) => document.body.classList.toggle("offline", !open));
