// What needs no server: cards, the source panel, copying, light and dark. It runs once, as the
// `js_on_load` of the transcript, which gives `element`, `trigger`, `server` and `watch`. All
// HTML that it puts anywhere was made, and escaped, by the server; texts go in as text.

// Looked up when they are needed: they may come after this part of the page.
const panel = () => document.getElementById("source");
const say = (key) => document.getElementById("labels").dataset[key];
const REACH = 8; // pixels between a mark and its card
let shown = null; // the mark whose card is open
let opener = null; // what the source panel was opened from
let leaving = 0;
let returning = false; // focus comes back to a mark, whose card was seen

// --- cards

const cardOf = (mark) => document.getElementById(mark.dataset.card);

function showCard(mark) {
  clearTimeout(leaving);
  if (shown === mark) return;
  hideCard();
  const card = cardOf(mark);
  if (!card) return;
  card.showPopover();
  place(card, mark.getBoundingClientRect());
  mark.setAttribute("aria-expanded", "true");
  shown = mark;
}

function hideCard() {
  clearTimeout(leaving);
  if (!shown) return;
  const card = cardOf(shown);
  if (card?.matches(":popover-open")) card.hidePopover();
  shown.setAttribute("aria-expanded", "false");
  shown = null;
}

function place(card, at) {
  const { width, height } = card.getBoundingClientRect();
  const below = at.bottom + REACH + height <= innerHeight || at.top < innerHeight - at.bottom;
  const left = Math.min(Math.max(REACH, at.left + at.width / 2 - width / 2), innerWidth - width - REACH);
  card.style.left = `${Math.max(0, left)}px`;
  card.style.top = `${below ? at.bottom + REACH : Math.max(REACH, at.top - REACH - height)}px`;
}

const within = (target) => target instanceof Element && target.closest(".mark, .card");
const leaveSoon = () => {
  clearTimeout(leaving);
  leaving = setTimeout(hideCard, 250);
};

// Moves of the pointer alone, not of what lies under it.
document.addEventListener("pointermove", (event) => {
  if (event.pointerType === "touch") return;
  const part = within(event.target);
  if (part?.matches(".mark")) showCard(part);
  else if (part) clearTimeout(leaving);
});
document.addEventListener("pointerout", (event) => {
  if (within(event.target) && !within(event.relatedTarget)) leaveSoon();
});
document.addEventListener("focusin", (event) => {
  const part = within(event.target);
  if (part?.matches(".mark")) {
    if (part.matches(":focus-visible") && !returning) showCard(part);
  } else if (!part) hideCard();
});
document.addEventListener("pointerdown", (event) => {
  if (!within(event.target)) hideCard();
});
addEventListener("scroll", (event) => {
  if (shown && !cardOf(shown).contains(event.target)) hideCard();
}, { capture: true, passive: true });
addEventListener("resize", hideCard);

async function translate(button) {
  const card = button.closest(".card");
  const quote = card.querySelector(".quote");
  const told = card.querySelector(".translation");
  button.disabled = true;
  told.textContent = say("translating");
  const to = card.closest(".turn").dataset.lang || document.documentElement.lang;
  const found = await server.translation(quote.textContent, quote.lang, to).catch(() => null);
  translations.set(card.id, found ?? { fault: say("lost") });
  tell(card);
}

const translations = new Map(); // by the card's id, so that a new answer does not lose them

function tell(card) {
  const found = translations.get(card.id);
  const told = card.querySelector(".translation");
  told.replaceChildren();
  for (const [name, text] of [["label", found.label], ["text", found.text], ["reason", found.fault]]) {
    if (!text) continue;
    const line = document.createElement("span");
    line.className = name;
    line.textContent = text;
    if (name === "text") Object.assign(line, { lang: found.lang, dir: found.dir });
    told.append(line);
  }
  card.querySelector(".translate").hidden = true;
  if (shown && cardOf(shown) === card) place(card, shown.getBoundingClientRect());
}

// --- the source panel

async function openSource(from, name, spans, number) {
  hideCard();
  opener = from;
  const source = panel();
  source.hidden = false;
  document.body.classList.add("source-open");
  const inside = source.querySelector(".inside");
  inside.setAttribute("aria-busy", "true");
  const found = await server.article(name, spans).catch(() => ({ fault: say("lost") }));
  inside.removeAttribute("aria-busy");
  source.querySelector(".fault").textContent = found.fault || found.changed || "";
  inside.innerHTML = found.html || "";
  source.focus({ preventScroll: true });
  go(number);
}

function go(number) {
  const source = panel();
  const marks = [...source.querySelectorAll("mark.quote")];
  const here = marks.filter((mark) => mark.dataset.number.split(" ").includes(String(number)));
  for (const mark of marks) mark.classList.toggle("current", here.includes(mark));
  const area = source.querySelector(".inside");
  if (!here.length) { area.scrollTop = 0; return; }
  const at = here[0].getBoundingClientRect().top - area.getBoundingClientRect().top;
  here[0].focus({ preventScroll: true });
  area.scrollTop += at - area.clientHeight / 4;
}

function closeSource() {
  if (panel().hidden) return;
  panel().hidden = true;
  document.body.classList.remove("source-open");
  if (opener) focusOn(opener);
  opener = null;
}

function focusOn(mark) {
  returning = true;
  mark.focus();
  returning = false;
}

function spansOf(turn, name) {
  const spans = new Map();
  for (const card of turn.querySelectorAll(".card")) {
    const { number, start, end } = card.dataset;
    if (card.dataset.source === name) spans.set(number, [+number, +start, +end, card.querySelector(".quote").textContent]);
  }
  return [...spans.values()];
}

function openMark(mark) {
  const card = cardOf(mark);
  const { source: name, number } = card.dataset;
  openSource(mark, name, spansOf(mark.closest(".turn"), name), number);
}

function openPassage(button) {
  const { source: name, start, end } = button.dataset;
  const spans = +end > +start ? [[0, +start, +end, null]] : [];
  openSource(button, name, spans, 0);
}

// --- what a turn offers

async function copy(button) {
  const turn = button.closest(".turn");
  const lines = [turn.querySelector(".answer").innerText.trim()];
  const seen = new Set();
  for (const card of turn.querySelectorAll(".card")) {
    if (seen.has(card.dataset.number)) continue;
    seen.add(card.dataset.number);
    const { start, end } = card.dataset;
    lines.push(`[${card.dataset.number}] ${card.querySelector(".quote").textContent}\n${card.dataset.source} [${start}:${end}]`);
  }
  await write(lines.join("\n\n"));
  const name = button.textContent;
  button.textContent = say("copied");
  setTimeout(() => { button.textContent = name; }, 1500);
}

async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // over plain HTTP from another machine
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function judge(button) {
  const turn = button.closest(".turn");
  const form = turn.querySelector(".why");
  form.hidden = false;
  form.dataset.liked = String(button.dataset.act === "like");
  form.elements.reason.focus();
}

const acts = {
  copy,
  like: judge,
  dislike: judge,
  retry: (button) => trigger("retry", { turn: button.closest(".turn").dataset.turn }),
  edit: (button) => trigger("edit", { turn: button.closest(".turn").dataset.turn }),
};

document.addEventListener("submit", (event) => {
  const form = event.target.closest(".why");
  if (!form) return;
  event.preventDefault();
  const turn = form.closest(".turn");
  trigger("verdict", { turn: turn.dataset.turn, liked: form.dataset.liked === "true", reason: form.elements.reason.value });
  form.hidden = true;
  form.reset();
  turn.querySelector(`[data-act="${form.dataset.liked === "true" ? "like" : "dislike"}"]`).focus();
});

// --- the page

const open = new Set(); // proof panels: a new answer must not fold them

document.addEventListener("click", (event) => {
  const button = event.target.closest("button, summary");
  if (!button) return;
  if (button.matches(".mark")) openMark(button);
  else if (button.matches(".card .translate")) translate(button);
  else if (button.matches(".card .open")) openMark(document.getElementById(button.closest(".card").id.replace("card-", "mark-")));
  else if (button.matches(".passage")) openPassage(button);
  else if (button.matches("#source .close")) closeSource();
  else if (button.matches("#source [data-go]")) go(button.dataset.go);
  else if (button.matches(".why [type=button]")) { button.form.hidden = true; button.form.reset(); }
  else if (button.matches("#filter .unfilter")) trigger("unfilter", {});
  else if (button.matches("#theme")) setTheme(document.body.classList.contains("dark") ? "light" : "dark");
  else if (button.matches("#new")) { closeSource(); trigger("restart", {}); document.querySelector("#question textarea").focus(); }
  else if (button.matches("summary")) {
    const key = button.closest(".turn")?.id;
    if (key) button.parentElement.open ? open.delete(key) : open.add(key);
  } else if (button.dataset.act in acts) acts[button.dataset.act](button);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (shown) {
    const mark = shown;
    const inside = cardOf(mark).contains(document.activeElement);
    hideCard();
    if (inside) focusOn(mark);
  } else closeSource();
});

watch("value", () => {
  for (const turn of element.querySelectorAll(".turn")) {
    const proof = turn.querySelector("details.proof");
    if (proof) proof.open = open.has(turn.id);
    for (const card of turn.querySelectorAll(".card")) if (translations.has(card.id)) tell(card);
  }
  if (atEnd) toEnd();
});

let atEnd = true;
const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);
addEventListener("scroll", () => {
  atEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 80;
}, { passive: true });

// Gradio's view of the API knows the endpoints of the English page only, and opens by its own
// button, which comes after this part of the page.
function openApi(tries = 100) {
  const button = document.querySelector("footer .show-api");
  if (button) button.click();
  else if (tries) setTimeout(openApi, 50, tries - 1);
}

if (new URLSearchParams(location.search).has("api")) openApi();
document.addEventListener("click", (event) => {
  if (!event.target.closest("#panel footer a") || document.documentElement.lang !== "en") return;
  event.preventDefault();
  openApi();
});

function setTheme(theme) {
  document.body.classList.toggle("dark", theme === "dark");
  try { localStorage.setItem("theme", theme); } catch { /* a browser that keeps nothing */ }
}

const theme = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
if (theme) setTheme(theme);
document.title = element.ownerDocument.querySelector("#labels")?.dataset.title ?? document.title;
