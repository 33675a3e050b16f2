"use strict";
const all = (q, at = document) => at.querySelectorAll(q);
for (const p of all(".tools")) {
  p.hidden = false;
  for (const b of all("button", p)) b.onclick = () => { for (const d of all("details.host,details.group")) d.open = b.dataset.open !== ""; };
  p.querySelector("input").oninput = e => {
    const text = e.target.value.toLowerCase();
    for (const d of all("details.host")) d.hidden = !d.firstElementChild.textContent.toLowerCase().includes(text);
    for (const d of all("details.group")) if (text) d.open = true;
  };
}
const opened = [];
addEventListener("beforeprint", () => { for (const d of all("details.print:not([open])")) { d.open = true; opened.push(d); } });
addEventListener("afterprint", () => { for (const d of opened.splice(0)) d.open = false; });
