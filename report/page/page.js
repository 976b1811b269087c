(() => {
"use strict";

// What is folded away is printed too.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const d of folded) d.open = true;
});
addEventListener("afterprint", () => {
  for (const d of folded) d.open = false;
});

const block = document.getElementById("samples-data");
if (!block) return;

// The samples. Columns are 32-bit floats; phi has the diagonal and, once, the sums of
// both cells of pairs.
const data = JSON.parse(block.textContent);
block.remove();
const decode = (text) => {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Float32Array(bytes.buffer);
};
const m = data.modalities.length, n = data.ids.length;
const cells = m * (m + 1) / 2;
const parts = []; // the columns of phi: one modality, or two
for (let i = 0; i < m; i++) for (let j = i; j < m; j++) parts.push(i === j ? [i] : [i, j]);
const targets = data.byTarget.map((t) => ({
  base: decode(t.base), output: decode(t.output), score: decode(t.score), se: decode(t.se),
  phi: decode(t.phi), values: decode(t.values),
}));
// The largest interaction of each sample, as a column of phi; -1 where there is none.
for (const t of targets) {
  t.largest = new Int32Array(n).fill(-1);
  t.size = new Float32Array(n);
  for (let k = 0; k < n; k++) {
    for (let c = 0; c < cells; c++) {
      const size = Math.abs(t.phi[k * cells + c]);
      if (parts[c].length === 2 && size > t.size[k]) { t.size[k] = size; t.largest[k] = c; }
    }
  }
}
const lower = data.ids.map((id) => id.toLowerCase());

// Words for numbers, as package wording has them.
const minus = (text) => text.startsWith("-") ? "\u2212" + text.slice(1) : text;
const raised = (power) => power.replace("+", "").replace("-", "⁻").replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);
const scientific = (x, count) => {
  if (x === 0) return "0";
  const [mantissa, power] = x.toExponential(count - 1).split("e");
  return minus(mantissa) + "×10" + raised(power);
};
const digits = (x, count) => {
  if (x === 0) return "0";
  const power = Number(x.toExponential(count - 1).split("e")[1]);
  return Math.abs(x) < 1e-4 || power >= 6 ? scientific(x, count) : minus(x.toFixed(Math.max(0, count - 1 - power)));
};
const number = (x) => digits(x, 4);
const signed = (x) => (x > 0 ? "+" : "") + digits(x, 3);
const points = (x) => {
  const p = 100 * x;
  if (p === 0) return "0";
  return p.toFixed(Math.abs(p) < 0.995 ? 2 : 1);
};
const percent = (x) => points(x) + "\u00a0%";
const grouped = (k) => String(k).replace(/\B(?=(\d{3})+$)/g, ",");
const samples = (k) => grouped(k) + (k === 1 ? " sample" : " samples");
const className = (k) => {
  const c = data.predicted[k];
  return data.classes[c] ?? String(c);
};

// Elements are made one by one: no text is ever read as markup.
const SVG = "http://www.w3.org/2000/svg";
const make = (name, attributes, ...children) => {
  const e = document.createElement(name);
  return fill(e, attributes, children);
};
const draw = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
const fill = (e, attributes, children) => {
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...children);
  return e;
};
const nameOf = (part) => {
  const out = [make("bdi", {}, data.modalities[part[0]])];
  if (part.length === 2) out.push(" × ", make("bdi", {}, data.modalities[part[1]]));
  else out.push(" ", make("span", { class: "note-word" }, "alone"));
  return out;
};
const pairText = (part) => data.modalities[part[0]] + " × " + data.modalities[part[1]];

// The axis of axis.go.
const newAxis = (values) => {
  let lo = Math.min(...values), hi = Math.max(...values);
  if (lo === hi) {
    const room = Math.abs(lo) / 10 || 1;
    lo -= room; hi += room;
  }
  const room = 0.04 * hi - 0.04 * lo;
  return { lo: lo - room, hi: hi + room };
};
const at = (a, x) => Math.max(0, Math.min(100, 100 * ((x - a.lo) / (a.hi - a.lo))));
const length = (p) => p.toFixed(2) + "%";
const place = (a, x) => length(at(a, x));
const ticks = (a, most) => {
  const raw = (a.hi - a.lo) / most;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5].map((s) => s * unit).find((s) => s >= raw) ?? 10 * unit;
  const largest = Math.max(Math.abs(a.lo), Math.abs(a.hi));
  const out = [];
  for (let k = Math.ceil(a.lo / step); k <= Math.floor(a.hi / step) && out.length <= 2 * most; k++) {
    const x = k * step + 0;
    let text;
    if (step >= 1e-4 && largest < 1e5) text = minus(x.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9))));
    else text = scientific(x, 2);
    out.push({ at: place(a, x), text });
  }
  return out;
};

// has tells whether sample k has the modalities of a part: of what it lacks there is no
// row.
const has = (k, part) => !data.patterns || part.every((i) => data.patterns[data.pattern[k]][i] === "1");

// The waterfall of waterfall.go: the same rows, for one sample.
const mostSteps = 8, mostAlone = 15;
const stepsOf = (t, k) => {
  const half = data.convention === "single-pair" ? 0.5 : 1;
  const all = parts.flatMap((part, c) => {
    if (!has(k, part)) return [];
    const value = t.phi[k * cells + c];
    return [{ name: nameOf(part), kind: part.length === 2 ? "pair" : "alone", value, weight: Math.abs(value) * (part.length === 2 ? half : 1) }];
  });
  const behaviour = all.reduce((sum, s) => sum + s.weight, 0);
  for (const s of all) s.share = behaviour > 0 ? percent(s.weight / behaviour) : "undefined";
  const bySize = (a, b) => Math.abs(b.value) - Math.abs(a.value);
  const together = (steps, name) => ({
    name, kind: steps[0].kind, value: steps.reduce((sum, s) => sum + s.value, 0),
    share: behaviour > 0 ? percent(steps.reduce((sum, s) => sum + s.weight, 0) / behaviour) : "undefined",
  });
  let alone = all.filter((s) => s.kind === "alone");
  if (alone.length > mostAlone + 1) {
    const kept = new Set([...alone].sort(bySize).slice(0, mostAlone));
    const small = alone.filter((s) => !kept.has(s));
    alone = [...alone.filter((s) => kept.has(s)), together(small, [make("bdi", {}, small.length + " more"), " ", make("span", { class: "note-word" }, "alone")])];
  }
  const pairs = all.filter((s) => s.kind === "pair").sort(bySize);
  if (pairs.length <= mostSteps + 1) return [...alone, ...pairs];
  const rest = pairs.splice(mostSteps);
  return [...alone, ...pairs, together(rest, [make("bdi", {}, rest.length + " more pairs")])];
};
const row = (kind, name, picture, value, share) => make("tr", { role: "row", class: kind },
  make("th", { role: "rowheader", scope: "row" }, ...name), make("td", { role: "cell", class: "plot" }, picture),
  make("td", { role: "cell", class: "num" }, value), make("td", { role: "cell", class: "num share" }, share));
const head = (text, kind) => make("th", { role: "columnheader", scope: "col", ...(kind && { class: kind }) }, text);
const waterfall = (t, k) => {
  const steps = stepsOf(t, k), base = t.base[k], output = t.output[k];
  const ends = [base, output];
  let x = base;
  for (const s of steps) ends.push(x += s.value);
  const a = newAxis(ends), marks = ticks(a, 4);
  const picture = (title, ...shapes) => draw("svg", { role: "img" }, draw("title", {}, title),
    ...marks.map((mark) => draw("line", { class: "grid", x1: mark.at, x2: mark.at, y1: "0", y2: "100%" })), ...shapes);
  const before = (y) => draw("line", { class: "link", x1: place(a, y), x2: place(a, y), y1: "0", y2: "50%" });
  const after = (y) => draw("line", { class: "link", x1: place(a, y), x2: place(a, y), y1: "50%", y2: "100%" });
  const end = (y) => draw("line", { class: "end", x1: place(a, y), x2: place(a, y), y1: "15%", y2: "85%" });
  const body = make("tbody", { role: "rowgroup" });
  body.append(row("end", [make("bdi", {}, "base value")], picture("at " + number(base), after(base), end(base)), number(base), ""));
  x = base;
  for (const s of steps) {
    const to = x + s.value, left = at(a, Math.min(x, to));
    const bar = draw("rect", { class: s.kind, x: length(left), width: length(at(a, Math.max(x, to)) - left), y: "50%", height: "14", transform: "translate(0 -7)" });
    body.append(row(s.kind, s.name, picture("from " + number(x) + " to " + number(to), before(x), after(to), bar), signed(s.value), s.share));
    x = to;
  }
  body.append(row("end", [make("bdi", {}, "output")], picture("at " + number(output), before(output), end(output)), number(output), ""));
  const axis = draw("svg", { class: "axis", "aria-hidden": "true" },
    ...marks.map((mark) => draw("text", { x: mark.at, y: "1em", "text-anchor": "middle" }, mark.text)));
  const plot = head("", "plot");
  plot.append(make("span", { class: "unseen" }, "picture"), axis);
  return make("table", { class: "fall", role: "table" },
    make("caption", {}, "How the output of this sample comes about; shares are local."),
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, head("part"), plot, head("adds", "num"), head("share", "num"))), body);
};

// The values of all coalitions, the sample's modalities that are present. What it lacks
// changes no value.
const coalitions = (t, k) => {
  const size = 2 ** m;
  const body = make("tbody", {});
  for (let s = 0; s < size; s++) {
    if (data.modalities.some((_, i) => s >> i & 1 && !has(k, [i]))) continue;
    const present = data.modalities.filter((_, i) => s >> i & 1);
    const names = present.flatMap((name, i) => i ? [", ", make("bdi", {}, name)] : [make("bdi", {}, name)]);
    body.append(make("tr", {}, make("th", { scope: "row" }, ...(names.length ? names : ["none"])), make("td", { class: "num" }, number(t.values[k * size + s]))));
  }
  return make("details", {}, make("summary", {}, "The value of each coalition"), make("table", { class: "plain narrow coalitions" },
    make("caption", {}, "The model’s answer with only these modalities of the sample present, a mean over background rows."),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "present"), make("th", { scope: "col", class: "num" }, "value"))), body));
};

// The explorer.
const $ = (id) => document.getElementById(id);
const search = $("search"), classFilter = $("class"), sort = $("sort"), choice = $("target");
const list = $("list"), sizer = $("sizer"), rows = $("rows");
let t = targets[0];
let order = new Uint32Array(0); // the samples that are listed
let selected = -1; // a sample, wherever it stands
$("explorer").hidden = false;

const sorts = {
  file: null,
  score: (k) => t.score[k],
  "score-up": (k) => -t.score[k],
  pair: (k) => t.size[k],
  class: (k) => -data.predicted[k],
  output: (k) => t.output[k],
};
// refresh lists what fits the controls: largest key first, NaN last, equal ones in the
// order of the file.
const refresh = (keep) => {
  const wanted = search.value.trim().toLowerCase(), only = classFilter ? classFilter.value : "";
  const found = new Uint32Array(n);
  let count = 0;
  for (let k = 0; k < n; k++) {
    if (wanted && !lower[k].includes(wanted)) continue;
    if (only !== "" && data.predicted[k] !== Number(only)) continue;
    found[count++] = k;
  }
  order = found.subarray(0, count);
  const by = sorts[sort.value];
  if (by) {
    const key = new Float64Array(n);
    for (const k of order) { const x = by(k); key[k] = Number.isNaN(x) ? -Infinity : x; }
    order.sort((a, b) => key[a] === key[b] ? a - b : key[b] > key[a] ? 1 : -1);
  }
  $("count").textContent = count === n ? samples(n) : count === 0 ? "No sample fits" : grouped(count) + " of " + samples(n);
  list.scrollTop = 0;
  layout();
  // Another order leaves the chosen sample in sight, another choice starts at its top.
  const here = keep ? order.indexOf(selected) : -1;
  if (here >= 0) reveal(here);
  if (count === 0) clear();
  else if (emptied && selected >= 0) show(selected);
};

// Only the rows in sight are in the page; they are used again as the list moves. A
// list longer than browsers can scroll is squeezed.
const tallest = 8e6;
let height = 52, pool = [];
const layout = () => {
  if (pool.length === 0) pool.push(makeRow());
  height = pool[0].row.offsetHeight || height;
  sizer.style.height = Math.min(order.length * height, tallest) + "px";
  paint();
};
const makeRow = () => {
  const r = { id: make("span", {}), score: make("span", {}), class: make("span", { class: "whole" }), pair: make("span", { class: "pair-name" }), value: make("span", { class: "whole" }), bar: make("i", {}) };
  r.row = make("div", { class: "row", role: "option", "aria-selected": "false" }, make("p", {}, r.id, r.score), make("p", { class: "second" }, r.class, r.pair, r.value), r.bar);
  rows.append(r.row);
  return r;
};
const scrollRange = () => Math.max(0, order.length * height - list.clientHeight);
const boxRange = () => Math.max(0, Math.min(order.length * height, tallest) - list.clientHeight);
const top = () => boxRange() > 0 ? list.scrollTop * (scrollRange() / boxRange()) : 0;
const scrollTo = (y) => { list.scrollTop = scrollRange() > 0 ? y * (boxRange() / scrollRange()) : 0; };
const paint = () => {
  const first = Math.max(0, Math.floor(top() / height) - 2);
  const last = Math.min(order.length, Math.ceil((top() + list.clientHeight) / height) + 2);
  rows.style.transform = "translateY(" + (first * height - top() + list.scrollTop) + "px)";
  while (pool.length < last - first) pool.push(makeRow());
  let active = "";
  pool.forEach((r, i) => {
    r.row.hidden = first + i >= last;
    if (r.row.hidden) return;
    const position = first + i, k = order[position];
    const score = t.score[k], c = t.largest[k];
    r.id.textContent = data.ids[k];
    r.score.textContent = Number.isNaN(score) ? "undefined" : percent(score);
    r.class.textContent = data.classes ? className(k) : "";
    r.pair.textContent = c < 0 ? "" : pairText(parts[c]);
    r.value.textContent = c < 0 ? "" : signed(t.phi[k * cells + c]);
    r.id.title = data.ids[k];
    r.pair.title = r.pair.textContent;
    r.bar.style.width = Number.isNaN(score) ? "0" : 100 * score + "%";
    r.row.id = "sample-" + k;
    r.row.dataset.sample = k;
    r.row.setAttribute("aria-posinset", position + 1);
    r.row.setAttribute("aria-setsize", order.length);
    r.row.setAttribute("aria-selected", k === selected);
    r.row.setAttribute("aria-label", "sample " + data.ids[k] + (data.classes ? ", predicted " + className(k) : "") +
      ", local score " + r.score.textContent + (c < 0 ? "" : ", largest interaction " + r.pair.textContent + " " + r.value.textContent));
    if (k === selected) active = r.row.id;
  });
  if (active) list.setAttribute("aria-activedescendant", active);
  else list.removeAttribute("aria-activedescendant");
};

const describe = (k) => {
  const score = t.score[k], se = t.se[k];
  const lacks = data.modalities.filter((_, i) => !has(k, [i]));
  const who = (data.classes ? "Predicted " + className(k) + ", output " : "Output ") + number(t.output[k]) + ". " +
    (lacks.length > 0 ? "It lacks " + lacks.join(", ") + ". " : "");
  if (Number.isNaN(score)) return who + "The modalities change nothing in this output: the score is undefined.";
  const error = Number.isNaN(se) ? "" : " (standard error from the background " + points(se) + ")";
  return who + percent(score) + " of what the modalities do to it is interaction between them" + error + ".";
};
// Where no sample fits, none is told of; the one that was comes back with the list.
let emptied = false;
const clear = () => {
  emptied = true;
  $("detail-h").textContent = "No sample chosen";
  $("said").textContent = "";
  $("detail-body").replaceChildren();
};
const show = (k) => {
  selected = k;
  emptied = false;
  $("detail-h").replaceChildren("Sample ", make("bdi", {}, data.ids[k]));
  $("said").textContent = describe(k);
  const body = [waterfall(t, k)];
  if (t.values.length > 0) {
    const more = coalitions(t, k);
    more.open = $("detail-body").querySelector("details")?.open ?? false;
    body.push(more);
  }
  $("detail-body").replaceChildren(...body);
};
const select = (position) => {
  if (order.length === 0) return;
  position = Math.max(0, Math.min(order.length - 1, position));
  show(order[position]);
  reveal(position);
};
// reveal moves the list no further than a row needs to be in sight.
const reveal = (position) => {
  const y = position * height;
  if (y < top()) scrollTo(y);
  else if (y + height > top() + list.clientHeight) scrollTo(y + height - list.clientHeight);
  paint();
};

let waiting = false;
list.addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; paint(); });
});
list.addEventListener("click", (e) => {
  const r = e.target.closest(".row");
  if (r) select(order.indexOf(Number(r.dataset.sample)));
});
list.addEventListener("keydown", (e) => {
  if (e.altKey || e.ctrlKey || e.metaKey) return;
  const here = order.indexOf(selected), page = Math.max(1, Math.floor(list.clientHeight / height) - 1);
  const next = { ArrowDown: here + 1, ArrowUp: here < 0 ? 0 : here - 1, PageDown: here + page, PageUp: here - page, Home: 0, End: order.length - 1, Enter: Math.max(here, 0), " ": Math.max(here, 0) }[e.key];
  if (next === undefined) return;
  e.preventDefault();
  select(next);
});
search.addEventListener("input", () => refresh(false));
search.addEventListener("keydown", (e) => {
  if (e.key === "ArrowDown" || e.key === "Enter") {
    e.preventDefault();
    list.focus();
    select(0);
  } else if (e.key === "Escape" && search.value) {
    e.preventDefault();
    search.value = "";
    refresh(false);
  }
});
classFilter?.addEventListener("change", () => refresh(false));
sort.addEventListener("change", () => refresh(true));
choice?.addEventListener("change", () => {
  t = targets[Number(choice.value)];
  refresh(true);
  if (selected >= 0 && !emptied) show(selected);
});
addEventListener("resize", layout);
refresh(false);
if (order.length > 0) { show(order[0]); paint(); }
document.documentElement.dataset.ready = "yes";
})();
