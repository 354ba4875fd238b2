"use strict";
const cases = [...document.querySelectorAll(".case")];
const fields = ["lang", "kind", "outcome", "mode", "text"];
const field = (name) => document.getElementById(name);
const texts = new Map();

// Case, accents, vowel points, the dots of i and the script of digits make no difference.
function fold(text) {
  return text.normalize("NFKD").replace(/\p{M}|\u0640/gu, "").toLowerCase().replace(/\p{M}/gu, "")
    .replace(/ı/g, "i")
    .replace(/[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]/g, (digit) => {
      const code = digit.charCodeAt(0);
      return code < 0x966 ? code & 15 : code - 0x966;
    })
    .replace(/\s+/g, " ").trim();
}

function said(one) {
  if (!texts.has(one)) {
    const parts = [...one.querySelectorAll(".said")];
    texts.set(one, fold(parts.map((part) => part.textContent).join(" ")));
  }
  return texts.get(one);
}

function show() {
  const wanted = Object.fromEntries(fields.map((name) => [name, field(name).value]));
  const words = fold(wanted.text);
  let count = 0;
  for (const one of cases) {
    const fits = ["lang", "kind", "outcome"].every((name) => !wanted[name] || one.dataset[name] === wanted[name])
      && (!wanted.mode || one.dataset.mode.split(" ").includes(wanted.mode))
      && (!words || said(one).includes(words));
    one.hidden = !fits;
    count += fits;
  }
  field("count").textContent = `${count} of ${cases.length} questions`;
}

function keep() {
  const set = fields.filter((name) => field(name).value).map((name) => [name, field(name).value]);
  history.replaceState(null, "", `#${new URLSearchParams(set)}`);
  show();
}

function restore() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  for (const name of fields) {
    field(name).value = wanted.get(name) ?? "";
    if (field(name).selectedIndex === -1) field(name).value = "";
  }
  show();
}

for (const name of fields) field(name).addEventListener("input", keep);
field("reset").addEventListener("click", () => {
  for (const name of fields) field(name).value = "";
  keep();
});
addEventListener("hashchange", restore);
field("filters").hidden = false;
restore();
