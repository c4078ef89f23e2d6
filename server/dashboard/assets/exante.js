// What the pages can do better with a script. Each works without it.
"use strict";

// Buttons that need a script are hidden until it is there.
const scripted = (root) => {
  for (const button of root.querySelectorAll("button[data-copy], button[data-show]")) button.hidden = false;
};
scripted(document);
document.addEventListener("htmx:load", (event) => scripted(event.detail.elt));

const copyText = async (input) => {
  input.select();
  if (navigator.clipboard) await navigator.clipboard.writeText(input.value);
  else document.execCommand("copy");
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy], button[data-show]");
  if (!button) return;
  if (button.dataset.copy) {
    const label = button.textContent;
    await copyText(document.getElementById(button.dataset.copy));
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 2000);
    return;
  }
  const input = document.getElementById(button.dataset.show);
  const shown = input.type === "text";
  input.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
});
