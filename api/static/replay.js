// The scrubber of a replay: by mouse, touch, keyboard and by itself; the address follows the moment.
import { localise } from "./pages.js";

function replay(stage) {
  const scrubber = document.getElementById("scrubber");
  const play = document.getElementById("play");
  const drawing = document.getElementById("drawing");
  const story = stage.querySelector(".story");
  const most = Number(scrubber.max);
  const kept = new Map();
  let axis = JSON.parse(stage.dataset.axis);
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
    const chart = drawing.querySelector(".replay-chart");
    if (chart) {
      const x = placeOf(step);
      const line = chart.querySelector(".cursor.now");
      const veil = chart.querySelector(".veil");
      const end = parseFloat(veil.getAttribute("x")) + parseFloat(veil.getAttribute("width"));
      line.setAttribute("x1", `${x}%`);
      line.setAttribute("x2", `${x}%`);
      veil.setAttribute("x", `${x}%`);
      veil.setAttribute("width", `${Math.max(end - x, 0)}%`);
    }
    document.getElementById("place").textContent =
      stage.dataset.place.replace("{}", step.toLocaleString("en")).replace("{}", most.toLocaleString("en"));
  }

  function addressOf(step) {
    const query = new URLSearchParams(location.search);
    query.delete("at");
    query.set("step", step);
    query.set("around", stage.dataset.around);
    return `${stage.dataset.moment}?${query}`;
  }

  async function asked(address) {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (answer.headers.get("HX-Redirect")) { location.assign(answer.headers.get("HX-Redirect")); return null; }
    return answer.ok ? answer.text() : null;
  }

  async function fetched(step) {
    const address = addressOf(step);
    if (kept.has(address)) return kept.get(address);
    const text = await asked(address);
    if (kept.size > 300) kept.delete(kept.keys().next().value);
    if (text !== null) kept.set(address, text);
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
    else document.getElementById("latest").textContent = stage.dataset.lost;
  }

  function put(text) {
    const focused = story.contains(document.activeElement);
    const parsed = new DOMParser().parseFromString(text, "text/html");
    story.replaceChildren(...parsed.body.childNodes);
    localise(story);
    const told = document.getElementById("moment").dataset;
    const said = JSON.parse(told.said);
    drawing.querySelectorAll("[data-then]").forEach((held, place) => { held.textContent = said[place] ?? ""; });
    scrubber.setAttribute("aria-valuetext", told.told);
    document.getElementById("latest").textContent = told.told.replace(/^[^:]*: /, "");
    history.replaceState(null, "", told.address);
    stage.dispatchEvent(new CustomEvent("told", { detail: Number(told.step) }));
    if (focused) scrubber.focus();
    const step = Number(told.step);
    if (step < Number(stage.dataset.first) || step > Number(stage.dataset.last)) redraw(told.address);
  }

  // A moment outside of what is in view: the picture follows
  async function redraw(address) {
    const text = await asked(address).catch(() => null);
    const other = text && new DOMParser().parseFromString(text, "text/html").getElementById("replay");
    if (!other) return;
    drawing.replaceChildren(...other.querySelector("#drawing").childNodes);
    localise(drawing);
    for (const name of ["axis", "around", "first", "last"]) stage.dataset[name] = other.dataset[name];
    axis = JSON.parse(stage.dataset.axis);
    point(wanted);
  }

  function go(step) {
    wanted = Math.min(Math.max(step, 1), most);
    scrubber.value = wanted;
    point(wanted);
    tell();
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    play.setAttribute("aria-pressed", "false");
  }

  function start() {
    if (wanted >= most) go(1);
    const pace = Math.max(1, Math.round(most / 400));
    playing = setInterval(() => {
      if (wanted >= most) stop(); else if (!asking) go(wanted + pace);
    }, 900);
    play.setAttribute("aria-pressed", "true");
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
    const box = drawing.querySelector(".replay-chart").getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 100;
    let low = 1;
    let high = most;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (placeOf(middle) <= x + 0.3) low = middle; else high = middle - 1;
    }
    return low;
  }

  // In the picture a mouse goes there at once. A finger may want to scroll: it goes there when it is
  // drawn sideways, or lifted where it was put down; up and down the page stays the browser's. What is
  // drawn from a point is no click on it.
  let from = null;
  function drop(link) {
    const halt = (click) => click.preventDefault();
    link.addEventListener("click", halt);
    setTimeout(() => link.removeEventListener("click", halt));
  }
  drawing.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.target.closest(".replay-chart")) return;
    const link = event.target.closest("a");
    from = { x: event.clientX, y: event.clientY, link, drawn: event.pointerType === "mouse" && !link };
    if (from.drawn) { stop(); go(stepAt(event)); }
  });
  addEventListener("pointermove", (event) => {
    if (!from) return;
    from.drawn ||= Math.abs(event.clientX - from.x) > 6;
    if (from.drawn) { stop(); go(stepAt(event)); }
  });
  addEventListener("pointerup", (event) => {
    const still = from && Math.hypot(event.clientX - from.x, event.clientY - from.y) < 10;
    if (from && !from.drawn && !from.link && still) { stop(); go(stepAt(event)); }
    if (from?.link && from.drawn) drop(from.link);
    from = null;
  });
  addEventListener("pointercancel", () => { from = null; });
  drawing.addEventListener("dragstart", (event) => event.preventDefault());

  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input:not([type=range]), textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === scrubber && event.key !== " ") return;
    if (event.key === "ArrowLeft") step(event, -1);
    else if (event.key === "ArrowRight") step(event, 1);
    else if (event.key === " " && (event.target === document.body || event.target === scrubber)) { event.preventDefault(); if (playing) stop(); else start(); }
  });
  point(wanted);
  // Moved before this was listening, or put back by the browser after a reload
  if (wanted !== Number(document.getElementById("moment").dataset.step)) tell();
}

const stage = document.getElementById("replay");
if (stage) replay(stage);
