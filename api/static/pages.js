// What the pages do beyond plain HTML: times in the reader's zone, drafts that keep, a gentle auto-logoff.
// The pages are written in English as it is read here; so are their days, with a script or without one.
const shows = {
  moment: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
  clock: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }),
  day: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" }),
};

export function localise(root) {
  for (const time of root.querySelectorAll("time[data-show]")) {
    time.textContent = shows[time.dataset.show].format(new Date(time.dateTime)).replace("Sept", "Sep");
    delete time.dataset.show;
  }
}

// Forms tell the reader's zone, and say which it is

function tellZone() {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!name) return;
  for (const zone of document.querySelectorAll("[data-zone]")) zone.value = name;
  for (const shown of document.querySelectorAll("[data-zone-name]")) {
    shown.textContent = shown.dataset.zoneName.replace("…", name.replaceAll("_", " "));
  }
}

// Choices that take effect at once

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
});

// Forms that keep what is typed: saved as a draft a moment after the last change

function keep(form) {
  const said = document.getElementById("kept");
  let due = 0;
  let sent = false;
  async function save() {
    if (sent) return;
    const body = new URLSearchParams(new FormData(form));
    body.set("action", "save");
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
    if (said) said.textContent = answer && answer.ok ? form.dataset.kept : form.dataset.lost;
    if (answer && answer.ok) form.dispatchEvent(new Event("told"));
  }
  form.addEventListener("input", () => { clearTimeout(due); due = setTimeout(save, 900); });
  form.addEventListener("submit", (event) => {
    if (sent) { event.preventDefault(); return; }
    sent = true;
    clearTimeout(due);
  });
  addEventListener("pageshow", () => { sent = false; });
}

// Forms that say one word: a second click says nothing more

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-once]")) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once][data-sent]")) delete form.dataset.sent;
});

// Gentle auto-logoff: say so two minutes before, then leave nothing on the screen

function lookAfterIdle(body) {
  const seconds = Number(body.dataset.idle);
  let line = null;
  let warn = 0;
  let leave = 0;
  function wind() {
    clearTimeout(warn);
    clearTimeout(leave);
    if (line) line.remove();
    line = null;
    warn = setTimeout(say, (seconds - 120) * 1000);
    leave = setTimeout(() => location.assign(`/sign-in?idle=1&next=${encodeURIComponent(location.pathname + location.search)}`), seconds * 1000);
  }
  function say() {
    line = document.createElement("p");
    line.className = "quiet-line";
    line.setAttribute("role", "status");
    const stay = document.createElement("button");
    stay.type = "button";
    stay.className = "plain small";
    stay.textContent = body.dataset.here;
    stay.addEventListener("click", async () => {
      const answer = await fetch("/stay", { method: "POST", headers: { "X-CSRF": body.dataset.csrf } });
      if (answer.ok) wind();
    });
    line.append(`${body.dataset.leaving} `, stay);
    body.prepend(line);
  }
  document.addEventListener("htmx:afterRequest", wind);
  document.addEventListener("told", wind, true);
  wind();
}

// Looking in ends by itself; then nothing of the plan is left on the screen

function leaveInTime(line) {
  setTimeout(() => location.reload(), (Number(line.dataset.left) + 1) * 1000);
}

// On paper nothing is folded away but what is a picture already

addEventListener("beforeprint", () => {
  for (const held of document.querySelectorAll("details:not([open], .table)")) {
    held.removeAttribute("name");
    held.open = true;
    held.dataset.folded = "";
  }
});
addEventListener("afterprint", () => {
  for (const held of document.querySelectorAll("details[data-folded]")) held.open = false;
});

document.addEventListener("htmx:afterSwap", (event) => localise(event.detail.elt));
document.addEventListener("DOMContentLoaded", () => {
  localise(document);
  tellZone();
  for (const button of document.querySelectorAll("[data-prints]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
  const form = document.querySelector("form[data-keeps]");
  if (form) keep(form);
  const refusal = document.getElementById("refusal");
  const fault = document.querySelector("[aria-invalid]");
  if (fault) fault.focus(); else if (refusal) refusal.focus();
  const looking = document.querySelector("[data-left]");
  if (looking) leaveInTime(looking);
  if (document.body.dataset.idle) lookAfterIdle(document.body);
});
