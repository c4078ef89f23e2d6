// What the pages can do better with a script. Each works without it. Events are
// heard at the document, so that what htmx puts into a page later is heard too.
"use strict";

// A form with data-once is sent once: of a double click the second answer would be
// shown, and the first is the one with the key in it.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});

// A button with data-copy copies the field of that id.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  let copied = true;
  try {
    await navigator.clipboard.writeText(field.value);
  } catch { // over plain HTTP there is no clipboard
    field.select();
    copied = document.execCommand("copy");
    if (copied) button.focus();
  }
  tell(button, copied ? "Copied" : "Press Ctrl+C");
  const secret = button.closest("[data-secret]");
  if (copied && secret) secret.querySelector("input[type=checkbox]").checked = true;
});

// tell has a button say something for a moment, to those who do not see it as well.
function tell(button, word) {
  button.dataset.word ??= button.textContent;
  button.textContent = word;
  const told = document.querySelector("[data-told]");
  if (told) told.textContent = word;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { button.textContent = button.dataset.word; }, 2000);
}

// The page that shows a secret once: selected, at an address that a reload may ask
// for again, and gone when the page is left. Leaving before it was kept asks.
const secret = document.querySelector("[data-secret]");
if (secret) {
  const fields = secret.querySelectorAll("input[readonly]");
  history.replaceState(null, "", secret.dataset.path);
  fields[0].focus();
  fields[0].select();
  addEventListener("beforeunload", (event) => {
    if (!secret.querySelector("input[type=checkbox]").checked) event.preventDefault();
  });
  addEventListener("pagehide", () => {
    for (const field of fields) {
      field.value = "";
      field.removeAttribute("value");
    }
  });
}

// A date that is typed is the choice of a date; a scope that is ticked, that of scopes.
document.addEventListener("input", (event) => {
  const inset = event.target.closest(".inset");
  const choice = inset && inset.previousElementSibling.querySelector("input[type=radio]");
  if (choice) choice.checked = true;
});

// A button with data-show shows the password in the field of that id, or hides it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show]");
  if (!button) return;
  const field = document.getElementById(button.dataset.show);
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
});

// What only a script can do shows itself.
function scripted(root) {
  for (const button of root.querySelectorAll("[data-copy], [data-show]")) button.hidden = false;
}
scripted(document);
document.addEventListener("htmx:load", (event) => scripted(event.detail.elt));
