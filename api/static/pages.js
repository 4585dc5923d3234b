// What the pages do beyond plain HTML: times in the reader's zone, the scrubber, a gentle auto-logoff.
"use strict";

(() => {
  // The pages are written in English as it is read here; so are their days, with a script or without one.
  const shows = {
    moment: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
    day: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" }),
  };

  function localise(root) {
    for (const time of root.querySelectorAll("time[data-show]")) {
      time.textContent = shows[time.dataset.show].format(new Date(time.dateTime));
      delete time.dataset.show;
    }
  }

  // The scrubber

  function replay(stage) {
    const axis = JSON.parse(stage.dataset.axis);
    const scrubber = document.getElementById("scrubber");
    const play = document.getElementById("play");
    const chart = stage.querySelector(".replay-chart");
    const story = stage.querySelector(".story");
    const kept = new Map();
    let asking = null;
    let playing = null;
    let wanted = Number(scrubber.value);

    function placeOf(step) {
      let low = 0;
      let high = axis.length - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (axis[middle][0] <= step) low = middle; else high = middle;
      }
      const [a, x] = axis[low];
      const [b, y] = axis[high];
      return b === a ? x : x + (y - x) * Math.min(Math.max((step - a) / (b - a), 0), 1);
    }

    function point(step) {
      const x = placeOf(step);
      const line = chart.querySelector(".cursor.now");
      const veil = chart.querySelector(".veil");
      line.setAttribute("x1", `${x}%`);
      line.setAttribute("x2", `${x}%`);
      veil.setAttribute("x", `${x}%`);
      veil.setAttribute("width", `${Math.max(100 - x, 0)}%`);
      document.getElementById("place").textContent =
        `${step.toLocaleString()} of ${Number(scrubber.max).toLocaleString()}`;
    }

    function addressOf(step) {
      const query = new URLSearchParams(location.search);
      query.delete("at");
      query.set("step", step);
      return `${stage.dataset.moment}?${query}`;
    }

    async function fetched(step) {
      const address = addressOf(step);
      if (kept.has(address)) return kept.get(address);
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (answer.headers.get("HX-Redirect")) { location.assign(answer.headers.get("HX-Redirect")); return null; }
      if (!answer.ok) return null;
      const text = await answer.text();
      if (kept.size > 300) kept.delete(kept.keys().next().value);
      kept.set(address, text);
      return text;
    }

    // One request at a time; when it is back, the newest wish is asked for: no queue ever builds up.
    async function tell() {
      if (asking) return;
      asking = wanted;
      story.classList.add("busy");
      const text = await fetched(asking).catch(() => null);
      const done = asking;
      asking = null;
      if (done !== wanted) { tell(); return; }
      story.classList.remove("busy");
      if (text !== null) put(text);
      else document.getElementById("latest").textContent = "This moment could not be loaded; try once more.";
    }

    function put(text) {
      const focused = story.contains(document.activeElement);
      const parsed = new DOMParser().parseFromString(text, "text/html");
      story.replaceChildren(...parsed.body.childNodes);
      localise(story);
      const told = document.getElementById("moment").dataset;
      scrubber.setAttribute("aria-valuetext", told.told);
      document.getElementById("latest").textContent = told.told.replace(/^[^:]*: /, "");
      history.replaceState(null, "", told.address);
      stage.dispatchEvent(new CustomEvent("told", { detail: Number(told.step) }));
      if (focused) scrubber.focus();
    }

    function go(step) {
      wanted = Math.min(Math.max(step, 1), Number(scrubber.max));
      scrubber.value = wanted;
      point(wanted);
      tell();
    }

    function stop() {
      clearInterval(playing);
      playing = null;
      play.textContent = "▶";
      play.setAttribute("aria-pressed", "false");
      play.setAttribute("aria-label", "Play");
    }

    function start() {
      if (wanted >= Number(scrubber.max)) go(1);
      const pace = Math.max(1, Math.round(Number(scrubber.max) / 400));
      playing = setInterval(() => {
        if (wanted >= Number(scrubber.max)) stop(); else if (!asking) go(wanted + pace);
      }, 900);
      play.textContent = "❚❚";
      play.setAttribute("aria-pressed", "true");
      play.setAttribute("aria-label", "Pause");
    }

    function step(event, by) {
      event.preventDefault();
      stop();
      go(wanted + by);
    }

    scrubber.addEventListener("input", () => { stop(); go(Number(scrubber.value)); });
    document.getElementById("back").addEventListener("click", (event) => step(event, -1));
    document.getElementById("forth").addEventListener("click", (event) => step(event, 1));
    play.hidden = false;
    play.addEventListener("click", () => (playing ? stop() : start()));

    function stepAt(event) {
      const box = chart.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * 100;
      let low = 1;
      let high = Number(scrubber.max);
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (placeOf(middle) <= x + 0.3) low = middle; else high = middle - 1;
      }
      return low;
    }

    let dragging = false;
    chart.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest("a")) return;
      dragging = true;
      stop();
      go(stepAt(event));
    });
    addEventListener("pointermove", (event) => { if (dragging) go(stepAt(event)); });
    addEventListener("pointerup", () => { dragging = false; });
    addEventListener("pointercancel", () => { dragging = false; });

    document.addEventListener("keydown", (event) => {
      if (event.target.matches("input:not([type=range]), textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target === scrubber) return;
      if (event.key === "ArrowLeft") step(event, -1);
      else if (event.key === "ArrowRight") step(event, 1);
      else if (event.key === " " && event.target === document.body) { event.preventDefault(); if (playing) stop(); else start(); }
    });
    point(wanted);
    // Moved before this was listening, or put back by the browser after a reload
    if (wanted !== Number(document.getElementById("moment").dataset.step)) tell();
  }

  // Choices that take effect at once

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
  });

  // Forms that keep what is typed: saved as a draft a moment after the last change

  function keep(form) {
    const said = document.getElementById("kept");
    const zone = form.querySelector("[data-zone]");
    const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone && name) {
      zone.value = name;
      const shown = form.querySelector("[data-zone-name]");
      if (shown) shown.textContent = `in your zone (${name.replaceAll("_", " ")})`;
    }
    let due = 0;
    let sent = false;
    async function save() {
      if (sent) return;
      const body = new URLSearchParams(new FormData(form));
      body.set("action", "save");
      const answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
      if (said) said.textContent = answer && answer.ok ? "Kept as a draft" : "Not kept: the connection is down";
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
      stay.textContent = "I am still here";
      stay.addEventListener("click", async () => {
        const answer = await fetch("/stay", { method: "POST", headers: { "X-CSRF": body.dataset.csrf } });
        if (answer.ok) wind();
      });
      line.append("You will be signed out in two minutes. ", stay);
      body.prepend(line);
    }
    document.addEventListener("htmx:afterRequest", wind);
    document.addEventListener("told", wind, true);
    wind();
  }

  // On paper nothing is folded away

  addEventListener("beforeprint", () => {
    for (const held of document.querySelectorAll("details:not([open])")) {
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
    const stage = document.getElementById("replay");
    if (stage) replay(stage);
    for (const button of document.querySelectorAll("[data-prints]")) {
      button.hidden = false;
      button.addEventListener("click", () => print());
    }
    const form = document.querySelector("form[data-keeps]");
    if (form) keep(form);
    const refusal = document.getElementById("refusal");
    const fault = document.querySelector("[aria-invalid]");
    if (fault) fault.focus(); else if (refusal) refusal.focus();
    if (document.body.dataset.idle) lookAfterIdle(document.body);
  });
})();
