"use strict";
// The report's own script: unpacks figures and planets when they are looked at, draws them, sorts and searches the table.

const carried = (id) => JSON.parse(document.getElementById(id).textContent);
const charts = carried("charts"), panes = carried("panes"), shared = carried("shared");
const dark = matchMedia("(prefers-color-scheme: dark)");
// A finger scrolls over figures, and on a narrow page the bar of tools would lie on their legends.
const coarse = matchMedia("(pointer: coarse), (max-width: 900px)").matches;
const known = new Map(); // figures by key, unpacked
let rows = [], order = [], sorted = { key: null, falling: false }, opened = null;

async function unpacked(address) {
  const packed = atob(address.slice(address.indexOf(",") + 1)), bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

let library = null; // plotly, unpacked when it is first needed or when there is nothing else to do

const plotly = () => library ??= unpacked(document.getElementById("plotly").textContent.trim()).then((source) => {
  const script = document.createElement("script");
  script.textContent = source;
  document.head.append(script);
  return window.Plotly;
});

// Figures carry words for colours ("$airs/0.25") and for the wavelengths ("@airs", "@airs/4" for means of four).
function colour(word) {
  const [name, opacity] = word.slice(1).split("/");
  const value = getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  if (!opacity) return value;
  return value + Math.round(255 * Number(opacity)).toString(16).padStart(2, "0");
}

function wavelengths(word) {
  const step = Number(word.split("/")[1] || 1), means = [];
  for (let i = 0; i < shared.airs.length; i += step) {
    const part = shared.airs.slice(i, i + step);
    means.push(part.reduce((sum, each) => sum + each, 0) / part.length);
  }
  return means;
}

function resolved(value) {
  if (typeof value === "string") {
    if (value.startsWith("$")) return colour(value);
    return value.startsWith("@airs") ? wavelengths(value) : value;
  }
  if (Array.isArray(value)) {
    const row = Array.isArray(value[0]) ? value[0] : value; // maps and curves hold numbers alone
    return row.every((each) => each === null || typeof each === "number") ? value.slice() : value.map(resolved);
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each)]));
}

function styled(layout) {
  const quiet = { gridcolor: colour("$line"), linecolor: colour("$line"), zeroline: false, ticks: "outside", tickcolor: colour("$line") };
  const full = { xaxis: {}, yaxis: {}, ...layout };
  for (const name of Object.keys(full)) if (/^[xy]axis\d*$/.test(name)) full[name] = { ...quiet, ...full[name] };
  return {
    margin: { l: 52, r: 10, t: 34, b: 46 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: colour("$ink") }, hovermode: "closest",
    hoverlabel: { bgcolor: colour("$raised"), bordercolor: colour("$line"), font: { color: colour("$ink") } },
    legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" }, dragmode: coarse ? false : "zoom", ...full,
  };
}

async function draw(place) {
  const key = place.dataset.chart;
  if (!known.has(key)) known.set(key, JSON.parse(await unpacked(charts[key])));
  const figure = known.get(key), drawer = await plotly();
  const { planets, ...layout } = figure.layout;
  place.classList.remove("waiting");
  await drawer.react(place, resolved(figure.data), { ...styled(resolved(layout)), height: figure.height }, {
    responsive: true, displaylogo: false, displayModeBar: coarse ? false : "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"],
  });
  place.dataset.drawn = "yes";
  if (planets && !place.dataset.listens) {
    place.dataset.listens = "yes";
    place.on("plotly_click", (event) => {
      const point = event.points[0], row = rows.find((each) => [String(point.text), String(point.y), String(point.x)].includes(String(each.planet)));
      if (row) location.hash = "planet/" + row.split + "/" + row.planet;
    });
  }
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
}, { rootMargin: "300px" });
const watch = (root) => root.querySelectorAll(".chart").forEach((place) => seen.observe(place));
dark.addEventListener("change", () => document.querySelectorAll('.chart[data-drawn="yes"]').forEach(draw));

// The table of planets.
const table = document.getElementById("planet-table"), search = document.getElementById("search"), split = document.getElementById("split");
const columns = carried("columns");

function text(value, digits) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" && digits !== null) return value.toFixed(digits);
  return Array.isArray(value) ? value.join("; ") : String(value);
}

function cell(row, column) {
  const item = document.createElement("td");
  item.className = column.className;
  item.textContent = text(row[column.key], column.digits);
  return item;
}

function fill() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean), body = document.createElement("tbody");
  order = rows.filter((row) => (split.value === "all" || row.split === split.value) && words.every((word) => row.words.includes(word)));
  if (sorted.key) {
    const sign = sorted.falling ? -1 : 1;
    const lacks = (value) => value === null || value === undefined || value === "";
    order.sort((a, b) => {
      const [x, y] = [a[sorted.key], b[sorted.key]];
      if (lacks(x) || lacks(y)) return lacks(x) - lacks(y);
      return sign * (typeof x === "number" && typeof y === "number" ? x - y : text(x, null).localeCompare(text(y, null)));
    });
  }
  for (const row of order) {
    const line = document.createElement("tr");
    line.dataset.key = row.split + "/" + row.planet;
    for (const column of columns) line.append(cell(row, column));
    const link = document.createElement("a");
    link.href = "#planet/" + line.dataset.key;
    link.textContent = row.planet;
    line.firstChild.replaceChildren(link);
    line.classList.toggle("open", line.dataset.key === opened);
    body.append(line);
  }
  table.tBodies[0].replaceWith(body);
  document.getElementById("counted").textContent = order.length + " of " + rows.length + " planets";
}

table.tHead.addEventListener("click", (event) => {
  const header = event.target.closest("th");
  if (!header) return;
  const key = header.dataset.key;
  sorted = { key, falling: sorted.key === key ? !sorted.falling : false };
  for (const each of table.tHead.querySelectorAll("th")) each.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", sorted.falling ? "descending" : "ascending");
  fill();
});
table.addEventListener("click", (event) => {
  const line = event.target.closest("tbody tr");
  if (line && !event.target.closest("a")) location.hash = "planet/" + line.dataset.key;
});
search.addEventListener("input", fill);
split.addEventListener("change", fill);

// One planet's pane.
const pane = document.getElementById("pane");

async function open(key) {
  opened = key;
  table.querySelectorAll("tr").forEach((line) => line.classList.toggle("open", line.dataset.key === key));
  pane.querySelectorAll('.chart[data-drawn="yes"]').forEach((place) => window.Plotly.purge(place));
  if (!key || !(key in panes)) { pane.replaceChildren(); return; }
  const content = JSON.parse(await unpacked(panes[key]));
  for (const [name, figure] of Object.entries(content.charts)) known.set(name, figure);
  pane.innerHTML = content.html;
  watch(pane);
  pane.scrollIntoView({ block: "start" });
  pane.querySelector("[data-step='close']").focus({ preventScroll: true });
}

pane.addEventListener("click", (event) => {
  const step = event.target.closest("[data-step]")?.dataset.step;
  if (!step) return;
  if (step === "close") { history.pushState(null, "", "#planets"); open(null); document.getElementById("planets").scrollIntoView(); return; }
  const place = order.findIndex((row) => row.split + "/" + row.planet === opened) + Number(step);
  const row = order[(place + order.length) % order.length];
  if (row) location.hash = "planet/" + row.split + "/" + row.planet;
});

function follow() {
  const [kind, ...rest] = location.hash.slice(1).split("/");
  if (kind === "planet") open(rest.join("/"));
}

unpacked(document.getElementById("rows").textContent.trim()).then((found) => {
  rows = JSON.parse(found);
  for (const row of rows) row.words = [row.planet, row.split, row.rung, row.reason, ...row.flags, ...row.problems].join(" ").toLowerCase();
  if (new Set(rows.map((row) => row.split)).size < 2) split.hidden = true;
  fill();
  watch(document);
  follow();
  addEventListener("hashchange", follow);
  (window.requestIdleCallback ?? setTimeout)(plotly);
  if (matchMedia("(max-width: 900px)").matches) document.querySelector("nav.contents details").open = false;
});
