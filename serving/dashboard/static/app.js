// Draws the charts of a page, also after a filter has replaced a part of it, and remembers which details are open.
"use strict";

(() => {
  const drawn = new WeakMap();

  async function draw(place) {
    const source = document.getElementById(place.id.replace(/^c-/, "s-"));
    if (!source || drawn.get(place) === source.textContent) return;
    const text = source.textContent;
    drawn.set(place, text);
    const options = { actions: false, ast: true, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true } };
    try {
      await vegaEmbed(place, JSON.parse(text), options);
      place.querySelector("svg")?.setAttribute("aria-label", place.dataset.title);
      place.dataset.drawn = "yes";
    } catch (error) {
      drawn.delete(place);
      place.textContent = "The chart cannot be drawn. Its data is under “SQL and data”.";
      console.error(error);
    }
  }

  const drawAll = () => document.querySelectorAll(".chart").forEach(draw);

  // On a narrow screen the menu and the filters are closed at first. A swap keeps what the person has opened.
  const opened = new Map();

  function fold() {
    const is_wide = window.matchMedia("(min-width: 900px)").matches;
    document.querySelectorAll("details.fold").forEach((details) => {
      details.open = opened.get(details.id) ?? is_wide;
      if (!details.dataset.folds) details.addEventListener("toggle", () => opened.set(details.id, details.open));
      details.dataset.folds = "yes";
    });
  }

  function start() {
    fold();
    drawAll();
    document.documentElement.classList.add("has-script");
  }

  // Who goes back and forward before the scripts run has the address of another page than the one that was loaded.
  function loadMissedPage() {
    const loaded = performance.getEntriesByType("navigation")[0]?.name;
    if (loaded && loaded !== location.href) location.reload();
  }

  document.addEventListener("DOMContentLoaded", loadMissedPage);
  document.addEventListener("DOMContentLoaded", start);
  document.addEventListener("htmx:after:swap", start);
  // An org has its own models, windows and dates: the other filters begin anew.
  document.addEventListener("change", (event) => {
    if (event.target.id === "f-org") {
      event.stopImmediatePropagation();
      location.assign(`${location.pathname.replace(/^\/(journeys|waste)\/.*/, "/$1")}?org=${encodeURIComponent(event.target.value)}`);
    }
  }, true);
  // A person can pause what refreshes by itself.
  document.addEventListener("htmx:before:request", (event) => {
    const refresh = document.getElementById("live-refresh");
    if (event.target.id === "live" && refresh && !refresh.checked) event.preventDefault();
  });
  // Keys that a page of another site cannot read: see access.py.
  document.addEventListener("htmx:config:request", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token && event.detail?.ctx?.request?.headers) event.detail.ctx.request.headers["X-CSRF-Token"] = token.content;
  });
})();
