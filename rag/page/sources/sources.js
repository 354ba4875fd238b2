// Files are sent, and articles removed at the second press. It runs as the `js_on_load` of both
// parts of the tab, which gives `element`, `trigger`, `upload` and `watch`; texts go in as text.

const zone = () => element.querySelector(".drop");
const busy = () => zone()?.querySelector("input").getAttribute("aria-disabled") === "true";

function wait() {
  zone().querySelector("input").setAttribute("aria-disabled", "true");
  element.querySelector(".doing").textContent = zone().dataset.sending;
}

async function send(files) {
  if (!files.length || busy()) return;
  wait();
  const sent = [];
  for (const file of files) {
    const { name, size } = file;
    const fits = size <= Number(zone().dataset.most);
    const path = fits ? await upload(file).then((kept) => kept.path, () => "") : "";
    sent.push({ name, size, path });
  }
  trigger("sent", { files: sent });
}

element.addEventListener("change", (event) => {
  if (!event.target.matches(".drop input")) return;
  send([...event.target.files]);
  event.target.value = "";
});
element.addEventListener("click", (event) => {
  if (event.target.closest(".drop") && busy()) event.preventDefault();
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  element.addEventListener(kind, (event) => {
    if (!zone()) return;
    event.preventDefault(); // the browser would open a file that is dropped
    zone().classList.toggle("over", kind === "dragover" && zone().contains(event.target));
    if (kind === "drop") send([...event.dataTransfer.files]);
  });
}

// A press of "no filter" must not leave a box of the filter: what leaving sends could come last.
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("#no-filter")) event.preventDefault();
});

// --- removing

let armed = null; // the button that was pressed once
let label = null; // what it was called before
let removing = false;

function disarm() {
  if (!armed) return;
  [armed.textContent, armed.ariaLabel] = label;
  armed.classList.remove("armed");
  armed = null;
  element.querySelector(".asking").textContent = "";
}

function arm(button) {
  armed = button;
  label = [button.textContent, button.ariaLabel];
  button.textContent = button.ariaLabel = button.dataset.confirm;
  button.classList.add("armed");
  element.querySelector(".asking").textContent = button.dataset.confirm;
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove]");
  const sure = button && button === armed;
  disarm();
  if (sure) {
    removing = true;
    trigger("remove_file", { source: button.dataset.remove });
  } else if (button) arm(button);
});
element.addEventListener("focusout", disarm);
element.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && armed) { event.stopPropagation(); disarm(); }
});
watch("value", () => {
  armed = null; // a new table has put another article's button in its place
  if (removing && document.activeElement === document.body) element.querySelector(".scrolls")?.focus();
  removing = false;
});
