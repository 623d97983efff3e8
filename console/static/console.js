// What the pages do beyond htmx: keys, announcing what arrives, saying when the line is lost.
"use strict";

const SILENCE_MS = 40_000; // the server sends something at least every 15 seconds
const FRESH_MS = 8_000;
const CHORD_MS = 1_500;

const byId = (id) => document.getElementById(id);
const all = (selector) => [...document.querySelectorAll(selector)];

/* ---- the live line ---- */

let connection = null;
let heardAt = Date.now();
let leaving = false;

function sayLost(isLost) {
  const line = byId("lost");
  const text = isLost && !leaving ? line.dataset.text : "";
  if (line.textContent !== text) line.textContent = text;
}

function hear() {
  heardAt = Date.now();
  sayLost(false);
}

function followLine(live) {
  live.addEventListener("htmx:sse:before:connection", (event) => event.detail.connection.attempt && sayLost(true));
  live.addEventListener("htmx:sse:after:connection", (event) => {
    connection = event.detail.connection;
    hear();
  });
  live.addEventListener("htmx:sse:error", (event) => (event.detail.status === 401 ? location.reload() : sayLost(true)));
  for (const name of ["htmx:sse:close", "htmx:error", "htmx:response:error"]) {
    live.addEventListener(name, () => sayLost(true));
  }
  live.addEventListener("beat", hear);
  live.addEventListener("refresh", hear);
  live.addEventListener("ended", () => location.reload());
  window.addEventListener("pagehide", () => (leaving = true));
  setInterval(() => watchSilence(), 5_000);
}

// A line that was cut without a word stays open for the browser; reading is given up, so that htmx connects again.
function watchSilence() {
  if (Date.now() - heardAt < SILENCE_MS) return;
  sayLost(true);
  connection?.reader?.cancel();
}

// A page without a stream asks for its part again and again: what does not answer is said, and no old figure stays unmarked.
function followPolls() {
  for (const name of ["htmx:error", "htmx:response:error"]) document.addEventListener(name, () => sayLost(true));
  document.addEventListener("htmx:after:swap", () => sayLost(false));
  window.addEventListener("pagehide", () => (leaving = true));
}

/* ---- what has arrived ---- */

const seen = new Set();
const freshSince = new Map();

function lookForNewRows() {
  const rows = all("[data-row]");
  const arrived = rows.filter((row) => !seen.has(row.dataset.row));
  for (const row of arrived) {
    seen.add(row.dataset.row);
    freshSince.set(row.dataset.row, Date.now());
  }
  for (const row of rows) {
    row.classList.toggle("fresh", Date.now() - (freshSince.get(row.dataset.row) ?? 0) < FRESH_MS);
  }
  if (arrived.length) announce(arrived);
}

function announce(rows) {
  const announcer = byId("announcer");
  const { one, many } = announcer.dataset;
  const text = (row, selector) => row.querySelector(selector).innerText.trim();
  announcer.textContent =
    rows.length === 1
      ? `${one} ${text(rows[0], ".severity")}, ${text(rows[0], ".c-title a")}`
      : `${rows.length} ${many} ${text(rows[0], ".c-title a")}…`;
}

/* ---- parts that are swapped ---- */

let focused = null;

function rememberFocus() {
  const active = document.activeElement;
  if (active && active !== document.body) focused = { id: active.id, row: active.closest("[data-row]")?.dataset.row };
}

function restoreFocus() {
  const isLost = document.activeElement === document.body || document.activeElement === null;
  if (focused && isLost) (byId(focused.id) ?? byId(`open-${focused.row}`) ?? byId("main")).focus({ preventScroll: true });
  focused = null;
}

function afterSwap() {
  restoreFocus();
  const title = byId("queue")?.dataset.title;
  if (!title) return;
  document.title = title;
  lookForNewRows();
}

// What the reader has opened or closed stays so: false keeps the attribute as it is.
function keepOpenness(element, { attrName }) {
  return !(attrName === "open" && element.matches("details"));
}

function afterForm(event) {
  const { sourceElement: form, response } = event.detail.ctx;
  if (!(form instanceof HTMLFormElement) || response.status >= 400 || !form.hasAttribute("data-resets")) return;
  form.reset();
  form.closest("dialog")?.close();
}

function formNotSent(event) {
  const context = event.detail.ctx;
  if (context?.sourceElement instanceof HTMLFormElement) context.target.textContent = byId("announcer").dataset.unreachable;
}

/* ---- what is typed and not sent ---- */

let sent = null;

// Text is asked for again before it is lost, whatever would leave the page: a key, a link, the language, a closed tab.
function holdTyped(event) {
  const typed = all("textarea, input[data-typed]").filter((field) => field.value.trim() && field.form !== sent);
  if (typed.length) event.preventDefault();
}

function rememberSent(event) {
  if (!event.defaultPrevented) sent = event.target; // what htmx sends leaves no page
}

/* ---- a search ---- */

let search = null;

function endSearch(text) {
  search?.close();
  search = null;
  byId("stop").hidden = true;
  byId("message").textContent = text;
  if (text) byId("progress").textContent = "";
}

// What is found comes as parts of the page, each by its name; leaving the line is what stops the search.
function startSearch(address) {
  const box = byId("events");
  endSearch("");
  byId("stop").hidden = false;
  search = new EventSource(address);
  search.addEventListener("rows", (event) => {
    box.querySelector("table").hidden = false;
    byId("rows").insertAdjacentHTML("beforeend", event.data);
  });
  search.addEventListener("histogram", (event) => (byId("histogram").innerHTML = event.data));
  search.addEventListener("progress", (event) => (byId("progress").textContent = event.data.trim()));
  search.addEventListener("failed", (event) => endSearch(event.data));
  search.addEventListener("error", () => endSearch(box.dataset.lost));
  search.addEventListener("end", (event) => {
    endSearch("");
    byId("end").innerHTML = event.data;
  });
}

function onSearchClick(event) {
  const more = event.target.closest("#more");
  if (more) {
    startSearch(more.dataset.stream);
    byId("end").textContent = "";
    byId("rows").lastElementChild?.querySelector("summary").focus();
  }
  if (event.target.closest("#stop")) endSearch(byId("events").dataset.stopped);
}

function followSearch(box) {
  document.addEventListener("click", onSearchClick);
  window.addEventListener("pagehide", () => search?.close());
  startSearch(box.dataset.stream);
}

/* ---- keys ---- */

let chordAt = 0;

function find(key) {
  const selector = `[data-key="${CSS.escape(key)}"]`;
  const row = document.activeElement?.closest("[data-row]");
  return row?.querySelector(selector) ?? all(selector).find((element) => !element.closest("[data-row]"));
}

function press(key) {
  const element = find(key);
  if (element?.matches("textarea, input")) element.focus();
  else element?.click();
  return Boolean(element);
}

function move(step) {
  const steps = "[data-row] .c-title a, .c-event > details > summary, .tree summary, .tree .leaf a";
  const links = all(steps).filter((link) => link.checkVisibility());
  const holder = (link) => link.closest("tr, summary, .leaf");
  const now = links.findIndex((link) => holder(link).contains(document.activeElement));
  const next = links[now < 0 ? 0 : Math.min(Math.max(now + step, 0), links.length - 1)];
  next?.focus();
  if (next) holder(next).scrollIntoView({ block: "nearest" });
  return Boolean(next);
}

function act(key) {
  const isChord = Date.now() - chordAt < CHORD_MS;
  chordAt = key === "g" ? Date.now() : 0;
  if (["q", "r", "e", "o", "b", "d", "v", "u", "t"].includes(key)) return isChord && press(key);
  if (key === "j") return move(1);
  if (key === "k") return move(-1);
  return ["a", "s", "m", "c", "n", "l", "?", "/"].includes(key) && press(key);
}

function onKey(event) {
  const field = event.target.closest("input, textarea, select");
  if (field && event.key === "Enter" && event.ctrlKey) return field.form?.requestSubmit();
  if (field && event.key === "Escape") return field.blur();
  if (field || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (act(event.key)) event.preventDefault();
}

function onClick(event) {
  const opener = event.target.closest("[data-opens]");
  if (opener) byId(opener.dataset.opens).showModal();
  event.target.closest("[data-closes]")?.closest("dialog").close();
}

document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
document.addEventListener("submit", rememberSent);
window.addEventListener("beforeunload", holdTyped);
window.addEventListener("pageshow", () => (sent = null));
document.addEventListener("htmx:before:swap", rememberFocus);
document.addEventListener("htmx:after:swap", afterSwap);
htmx.registerExtension("openness", { htmx_before_morph_attr: keepOpenness });
document.addEventListener("htmx:after:request", afterForm);
document.addEventListener("htmx:error", formNotSent);
for (const row of all("[data-row]")) seen.add(row.dataset.row);
if (byId("events")) followSearch(byId("events"));
if (byId("live")) followLine(byId("live"));
if (document.querySelector("[data-polls]")) followPolls();
