/** The explorer: the actions of the controls, and the panels beside the map. */

const BASIC = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7040d0"]; // Okabe and Ito 2008, violet for yellow
const RAMP = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"]; // viridis
const NOTHING = "#9a9a9a";
const FOUND = 24;
const WHY = { trusted: "most trusted", baseline: "baseline", first: "first" };

const data = await readData();
const clusterings = data.columns.filter(column => column.cell !== undefined);
const others = data.columns.filter(column => column.cell === undefined);
const labels = others.find(column => column.title === "label");
const scatter = new Scatter(element("map"), new Thumbnails(data.sheets, () => { scatter.draw(); showImage(); showFound(); }));
const picks = new Picks(`clustergrid explorer ${data.dataset} ${data.study}`, data.ids, data.paths, data.labels_before, data.set_aside_before, showPicks);
let colour, wantedK = data.opening.k, hidden = new Set(), moved = null, found = [], dragging = "pan";
scatter.states = new Uint8Array(data.n).fill(PLAIN);

const labelOf = row => labels && labels.values[row] ? labels.levels[labels.values[row] - 1] : "";
const say = text => { element("status").textContent = text; };
const images = count => `${count} ${count === 1 ? "image" : "images"}`;
const about = row => data.paths[row] + (labelOf(row) ? `, labelled ${labelOf(row)}` : "");

// ---------------------------------------------------------------------------------------------------------------- colours

function mix(colour, other, share) {
  const parts = [colour, other].map(hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)));
  return "#" + parts[0].map((part, i) => Math.round(part * (1 - share) + parts[1][i] * share).toString(16).padStart(2, "0")).join("");
}

/** Return the colour of a slot: first seven colours that colour-blind persons can distinguish, then lighter and darker shades. */
function colourOf(slot) {
  const basic = BASIC[slot % BASIC.length], round = Math.floor(slot / BASIC.length) % 3;
  return round === 0 ? basic : mix(basic, round === 1 ? "#ffffff" : "#000000", 0.45);
}

function packed(hex) {
  const [red, green, blue] = [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
  return (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
}

/** Divide numbers into at most eight groups of equal size; return codes and levels as for a column of texts. */
function grouped(column) {
  const sorted = column.values.filter(value => !Number.isNaN(value)).sort();
  const cuts = [...new Set(Array.from({ length: RAMP.length }, (_, i) => sorted[Math.floor(i * sorted.length / RAMP.length)]))];
  const codes = Uint16Array.from(column.values, value => Number.isNaN(value) ? 0 : cuts.filter(cut => cut <= value).length);
  const shown = value => String(Number(value.toPrecision(3)));
  const last = sorted[sorted.length - 1];
  return { codes, levels: cuts.map((cut, i) => `${shown(cut)} to ${shown(cuts[i + 1] ?? last)}`),
    colours: cuts.map((_, i) => RAMP[Math.round(i * (RAMP.length - 1) / Math.max(1, cuts.length - 1))]) };
}

/** Colour the map by a column. A cluster gets the colour of the group of the previous clustering with which it shares most images. */
function colourBy(column) {
  const before = colour && colour.column.cell !== undefined ? colour : null;
  hidden = new Set();
  if (column.levels === null) {
    colour = { column, ...grouped(column) };
  } else {
    const taken = column.cell !== undefined && before && before.column !== column ? pairGroups(before.codes, column.values) : new Map();
    const kept = new Map([...taken].map(([is, was]) => [is, before.slots[was]]));
    const used = new Set(kept.values()), next = () => { let slot = 0; while (used.has(slot)) slot++; used.add(slot); return slot; };
    const slots = [null, ...column.levels.map((_, i) => kept.get(i + 1) ?? next())];
    colour = { column, codes: column.values, levels: column.levels, slots,
      colours: column.levels.map((_, i) => i + 1 === column.noise ? NOTHING : colourOf(slots[i + 1])) };
    showMoved(before, column, taken);
  }
  if (column.cell === undefined) { moved = null; element("moved").replaceChildren(); }
  scatter.codes = colour.codes;
  scatter.css = [NOTHING, ...colour.colours];
  scatter.palette = Uint32Array.from(scatter.css, packed);
  showLegend();
  showStates();
}

/** Report and mark the images whose group changed from the previous clustering to this one. */
function showMoved(before, column, pairs) {
  moved = null;
  element("moved").replaceChildren();
  if (!before || before.column === column || column.cell === undefined) return;
  const rows = new Set();
  let both = 0;
  for (let row = 0; row < data.n; row++) {
    if (!before.codes[row] || !column.values[row]) continue;
    both++;
    if (pairs.get(column.values[row]) !== before.codes[row]) rows.add(row);
  }
  const text = `${rows.size} of ${images(both)} moved, against ${titleOf(before.column)}`;
  const toggle = make("button", { id: "mark-moved", textContent: "Mark them  m", onclick: () => { moved.marked = !moved.marked; showStates(); } });
  moved = { rows, marked: rows.size > 0, toggle };
  element("moved").append(text, " ", toggle, " ", make("button", { textContent: "Choose them", onclick: () => picks.choose(rows) }));
  say(text);
}

/** Return the class that the cluster of each image votes for, as a column with the levels of the labels, and so their colours. */
function predictedBy(clustering) {
  const codeOf = new Map(labels.levels.map((name, i) => [name, i + 1]));
  const codes = [0, ...clustering.predicted.map(name => codeOf.get(name) ?? 0)];
  return { title: `class predicted by ${titleOf(clustering)}`, levels: labels.levels, values: clustering.values.map(code => codes[code]) };
}

const titleOf = column => column.cell === undefined ? column.title : `${data.cells[column.cell]}, k = ${column.k}`;

// ------------------------------------------------------------------------------------------------------------ what is shown

function showStates() {
  const { chosen } = picks.state, marks = moved?.marked ? moved.rows : null;
  let shown = 0;
  for (let row = 0; row < data.n; row++) {
    const out = hidden.has(colour.codes[row]) || !scatter.has(row);
    scatter.states[row] = out ? HIDDEN : chosen.has(row) ? MARKED : marks && !marks.has(row) ? FAINT : PLAIN;
    shown += !out;
  }
  moved?.toggle.setAttribute("aria-pressed", moved.marked);
  element("shown").textContent = `${shown} of ${images(data.n)} shown`;
  scatter.draw();
}

function showLegend() {
  const counts = new Uint32Array(colour.levels.length + 1);
  for (const code of colour.codes) counts[code]++;
  const entries = [...colour.levels.map((name, i) => [i + 1, name]), ...(counts[0] ? [[0, "no value"]] : [])];
  const filter = () => {
    [...element("legend").querySelectorAll("[data-code]")].forEach(button => button.setAttribute("aria-pressed", !hidden.has(Number(button.dataset.code))));
    showStates();
  };
  element("legend-title").textContent = titleOf(colour.column);
  element("legend").replaceChildren(...entries.flatMap(([code, name]) => {
    const swatch = make("i");
    swatch.style.background = scatter.css[code];
    const button = make("button", { title: name, onclick: () => { hidden.has(code) ? hidden.delete(code) : hidden.add(code); filter(); } },
      swatch, make("span", { textContent: name, dir: "auto" }), make("small", { textContent: counts[code] }));
    button.dataset.code = code;
    const only = make("button", { className: "only", textContent: "only", title: `Only ${name}`,
      onclick: () => { hidden = new Set(entries.map(([each]) => each).filter(each => each !== code)); filter(); } });
    return [button, only];
  }));
  element("all").onclick = () => { hidden = new Set(); filter(); };
  filter();
}

/** Return a button with the thumbnail of an image; a click shows the image on the map. */
function thumbnail(row, side = 56) {
  const { width, height } = data.sheets, shrink = side / Math.max(width, height);
  const canvas = make("canvas", { width: Math.round(width * shrink * 2), height: Math.round(height * shrink * 2) });
  canvas.style.width = `${canvas.width / 2}px`;
  scatter.thumbnails.draw(canvas.getContext("2d"), row, 0, 0, canvas.width, canvas.height);
  return make("button", { title: about(row), ariaLabel: about(row), onclick: () => look(row) }, canvas);
}

function look(row) {
  scatter.at = row;
  scatter.reveal(row);
  showImage();
  say(about(row));
}

const cellsAsked = () => data.cells.map((_, cell) => {
  const of = clusterings.filter(column => column.cell === cell);
  return of.find(column => column.k === wantedK) ?? of[0];
});

function showImage() {
  const row = scatter.at, large = element("large");
  element("image").hidden = element("details").hidden = row === undefined;
  if (row === undefined) return;
  Object.assign(large, { width: data.sheets.width, height: data.sheets.height, ariaLabel: about(row) });
  scatter.thumbnails.draw(large.getContext("2d"), row, 0, 0, large.width, large.height);
  element("path").textContent = about(row);
  const fact = (name, value) => make("tr", {}, make("td", { textContent: name }), make("td", { textContent: value, dir: "auto" }));
  const valueOf = column => column.levels ? column.levels[column.values[row] - 1] : Number(column.values[row].toPrecision(4));
  element("facts").replaceChildren(...others.filter(column => column.levels ? column.values[row] : !Number.isNaN(column.values[row]))
    .map(column => fact(column.title, valueOf(column))));
  element("cells").replaceChildren(...cellsAsked().filter(column => column.values[row]).map(column => fact(titleOf(column), valueOf(column))));
}

function show(title, rows, note = "") {
  found = rows;
  element("found-title").textContent = title;
  element("found-note").textContent = note;
  showFound();
}

function showFound() {
  element("found").hidden = !element("found-title").textContent;
  element("found-images").replaceChildren(...found.slice(0, FOUND).map(row => thumbnail(row)));
}

/** Show the images nearest to the current image, or to the mean of the chosen images. */
function query() {
  const points = data.points[element("points").value], chosen = [...picks.state.chosen];
  const from = chosen.length ? chosen : scatter.at === undefined ? [] : [scatter.at];
  if (!from.length) return say("Click an image or choose some first: then q finds the nearest images.");
  const taken = new Set(from), among = [];
  for (let row = 0; row < data.n; row++) if (!taken.has(row) && scatter.has(row)) among.push(row);
  show(chosen.length ? `Nearest to the mean of ${images(chosen.length)}` : "Nearest images", nearestRows(points, meanPoint(points, from), FOUND, among));
  element("found").scrollIntoView({ block: "nearest" });
}

const PREDICT = "For the clusters and classes of new images: snakemake --cores 8 predict --config new_images=FOLDER";

/** Show the images whose thumbnails are most similar to a file of the user; nothing leaves the page. */
async function findLike(file) {
  const image = Object.assign(new Image(), { src: URL.createObjectURL(file) });
  try {
    await image.decode();
    const points = await (scatter.looks ??= looksOf(scatter.thumbnails, data.n));
    const rows = nearestRows(points, toLook(greys(image, LOOK, LOOK)), FOUND, data.ids.keys());
    show(`Look like ${file.name}`, rows, `Compared by look: ${LOOK} by ${LOOK} grey values of the thumbnails. ${PREDICT}`);
    look(rows[0]);
  } catch (error) {
    const why = error.name === "SecurityError" ? "A browser does not let the page read thumbnails from a folder" : "The browser cannot read this file";
    show(`Cannot compare ${file.name}`, [], `${why}. ${PREDICT}`);
  }
  URL.revokeObjectURL(image.src);
}

function search() {
  const text = element("search").value.trim().toLowerCase();
  if (!text) return show("", []);
  const rows = [];
  for (let row = 0; row < data.n; row++) if (data.paths[row].toLowerCase().includes(text) || labelOf(row).toLowerCase().includes(text)) rows.push(row);
  show(`${images(rows.length)} found`, rows);
}

// ---------------------------------------------------------------------------------------------------------------- the picks

function showPicks() {
  const { chosen, selections, accepted } = picks.state, { labelled, aside, gone } = picks.summary();
  element("count").textContent = `${images(chosen.size)} chosen`;
  const forget = (text, remove) => make("button", { textContent: "×", title: `Forget ${text}`, ariaLabel: `Forget ${text}`, onclick: remove });
  const line = (text, rows, remove) => make("div", { className: "row" }, make("button", { textContent: text, title: `Choose ${text}`, dir: "auto", onclick: () => picks.choose(rows()) }),
    ...(remove ? [forget(text, remove)] : []));
  const leftOut = `left out before: ${gone.length}`;
  element("picked").replaceChildren(
    ...[...selections].map(([name, rows]) => line(`${name}: ${rows.size}`, () => rows, () => picks.forget(name))),
    ...[...labelled].map(([label, rows]) => line(`label ${label}: ${rows.length}`, () => rows)),
    ...(aside.length ? [line(`set aside: ${aside.length}`, () => aside)] : []),
    ...(gone.length ? [make("div", { className: "row" }, leftOut, forget(leftOut, () => picks.bringBack()))] : []),
    ...[...accepted].map(([group, { before, low, images: size }]) => line(`accepted ${group}: ${low} or more of ${size}`,
      () => [...before.keys()].map(path => picks.rowOf.get(path)).filter(row => row !== undefined), () => picks.takeBack(group))));
  element("classes").replaceChildren(...[...new Set([...(labels ? labels.levels : []), ...labelled.keys()])].map(value => make("option", { value })));
  showStates();
}

/** Call a function if images are chosen; otherwise show a message that there are none. */
function withChosen(act, done) {
  const count = picks.state.chosen.size;
  if (!count) return say("Choose images first: drag a lasso or a rectangle, or press Space at an image.");
  act();
  say(`${images(count)} ${done}`);
}

function giveName(event) {
  event?.preventDefault();
  const name = element("name").value.trim();
  if (!NAME.test(name)) return say("A selection's name begins with a letter; letters, digits, _, . and - may follow.");
  withChosen(() => picks.name(name), `in ${name}`);
  element("map").focus();
}

function giveLabel(event) {
  event?.preventDefault();
  const label = element("label").value.trim();
  withChosen(() => picks.label(label), label ? `labelled ${label}` : "without a label of yours");
  element("map").focus();
}

function undo() {
  picks.undo();
  goOnJudging();
}

const fileOf = name => `${data.dataset}_${data.study}_${name}.csv`;

/** Download a table, and show the lines of the configuration with which the next run reads it. */
function download(content, name, lines) {
  save(content, fileOf(name));
  element("next-run").hidden = false;
  element("next-run-lines").textContent = lines.join("\n");
  say(`Exported ${fileOf(name)}`);
}

function exportPicks() {
  const { selections, labels: given, aside } = picks.state;
  if (picks.isEmpty) return say("Nothing to export: name, label or set aside some images first.");
  const intake = [...(given.size ? [`  labels: {corrections: ${fileOf("picked")}}`] : []), ...(aside.size ? [`  exclude_file: ${fileOf("picked")}`] : [])];
  download(picks.csv(), "picked", [
    ...(intake.length ? ["intake:", ...intake] : []),
    ...(selections.size ? ["subsets:", ...[...selections.keys()].map(name => `  ${name}: {file: ${fileOf("picked")}}`),
      "studies:", `  ${data.study}:`, "    vary:", `      subset: [all, ${[...selections.keys()].join(", ")}]`,
      ...(others.some(column => column.title === "consensus group") ? ["    verdict: {at: {subset: all}}"] : [])] : []),
  ]);
}

// ----------------------------------------------------------------------------------------------------------------- label next

/** Go to the image whose label helps most, and choose it; show the next ones beside the map. */
function toLabel() {
  const points = data.points[element("points").value];
  const codes = cellsAsked()[element("cell").value].values;
  const rows = labelNext(points, codes, row => picks.labelOf(row) || labelOf(row) || picks.isAside(row), FOUND);
  if (!rows.length) return say("Every image in a cluster has a label.");
  picks.choose([rows[0]]);
  look(rows[0]);
  show("To label next", rows);
}

// ------------------------------------------------------------------------------------------------------------- mouse and keys

function inCanvas(event) {
  const box = scatter.canvas.getBoundingClientRect();
  return [(event.clientX - box.left) * scatter.ratio, (event.clientY - box.top) * scatter.ratio];
}

function choosesHow(event) { return event.shiftKey ? "also" : event.altKey ? "not" : "only"; }

function drag(down) {
  const start = inCanvas(down), draws = ["lasso", "rectangle"].includes(dragging), canvas = scatter.canvas;
  let last = start, far = false;
  scatter.shape = draws ? [start] : [];
  canvas.setPointerCapture(down.pointerId);
  canvas.onpointermove = event => {
    const now = inCanvas(event);
    far ||= Math.hypot(now[0] - start[0], now[1] - start[1]) > 4;
    if (dragging === "pan") scatter.pan(now[0] - last[0], now[1] - last[1]);
    else if (dragging === "turn") scatter.turn(TURN * (now[0] - last[0]), TURN * (now[1] - last[1]));
    else if (dragging === "lasso") scatter.shape.push(now);
    else scatter.shape = [start, [now[0], start[1]], now, [start[0], now[1]]];
    last = now;
    scatter.draw();
  };
  canvas.onpointerup = event => {
    canvas.onpointermove = hover;
    canvas.onpointerup = null;
    if (!far) {
      const row = scatter.rowAt(...start);
      if (row !== null) event.shiftKey ? picks.toggle(row) : look(row);
    } else if (draws) {
      const rows = scatter.rowsInShape();
      picks.choose(rows, choosesHow(event));
      say(`${images(picks.state.chosen.size)} chosen`);
    }
    scatter.shape = [];
    scatter.draw();
  };
}

let hovering = null;
function hover(event) {
  hovering ??= requestAnimationFrame(() => {
    hovering = null;
    const row = scatter.rowAt(...inCanvas(event));
    scatter.canvas.title = row === null ? "" : about(row);
  });
}

function step(dx, dy) {
  const first = () => scatter.states.findIndex(state => state >= PLAIN);
  const from = scatter.at, shown = from !== undefined && scatter.states[from] >= PLAIN;
  const row = shown ? scatter.rowBeside(from, dx, dy) : first();
  if (row !== null && row >= 0) look(row);
}

function chooseInView() {
  const { width, height } = scatter.canvas, rows = [];
  for (let row = 0; row < data.n; row++) {
    const [x, y] = scatter.place(row);
    if (scatter.states[row] >= PLAIN && x >= 0 && y >= 0 && x < width && y < height) rows.push(row);
  }
  picks.choose(rows);
  say(`${images(rows.length)} chosen`);
}

function chooseGroup() {
  if (scatter.at === undefined) return say("Click an image first: then g chooses its group.");
  const code = colour.codes[scatter.at];
  picks.choose([...colour.codes.keys()].filter(row => colour.codes[row] === code && scatter.states[row] >= PLAIN));
  say(`${images(picks.state.chosen.size)} chosen`);
}

function turn(id, by) {
  const select = element(id), count = select.options.length;
  if (!count) return;
  select.selectedIndex = (select.selectedIndex + by + count) % count;
  select.onchange();
}

/** Focus an input and select its text, so that typing replaces it. */
function write(id) {
  element(id).focus();
  element(id).select();
}

function setDragging(mode) {
  if (mode === "turn" && scatter.d < 3) return say("This map has two dimensions.");
  dragging = mode;
  for (const id of DRAGGING) element(id).setAttribute("aria-pressed", id === mode);
  scatter.canvas.classList.toggle("draws", ["lasso", "rectangle"].includes(mode));
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const style = getComputedStyle(document.documentElement), value = name => style.getPropertyValue(name).trim();
  const long = hex => hex.length === 4 ? "#" + [...hex.slice(1)].map(digit => digit + digit).join("") : hex;
  Object.assign(scatter, { background: packed(long(value("--map"))), faint: packed(long(value("--faint"))), ink: value("--ink"),
    outline: packed(long(value("--ink"))) });
  element("theme").setAttribute("aria-pressed", theme === "dark");
  scatter.draw();
}

const swapTheme = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
const DRAGGING = ["pan", "turn", "lasso", "rectangle"], PAN = 80, TURN = 0.005; // pixels; radians a pixel

/** Move the map by a step in a direction, or turn it if dragging turns it. */
const shift = (dx, dy) => dragging === "turn" ? scatter.turn(TURN * PAN / 2 * dx, TURN * PAN / 2 * dy) : scatter.pan(PAN * dx, PAN * dy);
const nearer = () => scatter.zoom(1.3), farther = () => scatter.zoom(1 / 1.3);

function whole() {
  scatter.fit();
  scatter.draw();
}

const KEYS = [
  ["ArrowLeft", "the image to the left, right, above, below; with Shift the map moves, or turns after u", () => step(-1, 0), () => shift(1, 0)],
  ["ArrowRight", "", () => step(1, 0), () => shift(-1, 0)],
  ["ArrowUp", "", () => step(0, -1), () => shift(0, 1)],
  ["ArrowDown", "", () => step(0, 1), () => shift(0, -1)],
  ["+", "nearer", nearer], ["-", "farther", farther], ["0", "the whole map", whole],
  [" ", "choose the image, or take it back", () => scatter.at !== undefined && picks.toggle(scatter.at)],
  ["a", "choose all in view", chooseInView], ["g", "choose the image's group", chooseGroup],
  ["q", "nearest to the image, or to the mean of the chosen", query],
  ["j", "the image to label next", toLabel],
  ["p", "judge the image's group, then the next group", judge], ["y", "it belongs to the group that is judged", () => answer(true)],
  ["c", "accept the group that is judged", () => judging && write("accepted")],
  ["n", "name the chosen; while a group is judged: it does not belong", () => judging ? answer(false) : write("name")], ["l", "label the chosen", () => write("label")],
  ["x", "set the chosen aside, or take them back", () => withChosen(() => picks.setAside(), "set aside or taken back")],
  ["z", "undo", undo], ["Escape", "choose nothing; stop judging", () => judging ? stopJudging() : picks.choose([])], ["e", "export the picks as a CSV", exportPicks],
  ["[", "the cell before", () => turn("cell", -1)], ["]", "the next cell", () => turn("cell", 1)],
  [",", "the k before", () => turn("k", -1)], [".", "the next k", () => turn("k", 1)],
  ["m", "mark what moved", () => element("mark-moved")?.click()],
  ["t", "thumbnails or points", () => { scatter.showsThumbnails = !scatter.showsThumbnails; scatter.draw(); }],
  ["v", "drag moves the map", () => setDragging("pan")], ["u", "drag turns a map of three dimensions", () => setDragging("turn")], ["o", "drag draws a lasso", () => setDragging("lasso")],
  ["r", "drag draws a rectangle", () => setDragging("rectangle")],
  ["/", "search", () => write("search")], ["d", "dark or light", swapTheme],
  ["h", "these keys", () => element("keys").showModal()],
];

document.addEventListener("keydown", event => {
  const typing = ["INPUT", "SELECT"].includes(event.target.tagName);
  if (typing && event.key === "Escape") return scatter.canvas.focus();
  if (typing || element("keys").open || (event.target.tagName === "BUTTON" && [" ", "Enter"].includes(event.key))) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); return undo(); }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = KEYS.find(([name]) => name === (event.key.length === 1 ? event.key.toLowerCase() : event.key));
  if (!key) return;
  event.preventDefault();
  (event.shiftKey && key[3] || key[2])();
});

// ------------------------------------------------------------------------------------------------------------------ begin

function fill(id, names, change) {
  const select = element(id);
  let byMouse = false; // after a choice by mouse, the keys belong to the map again
  select.replaceChildren(...names.map((textContent, value) => make("option", { value, textContent })));
  Object.assign(select, { onpointerdown: () => { byMouse = true; }, onkeydown: () => { byMouse = false; } });
  select.onchange = () => { change(); if (byMouse) scatter.canvas.focus(); };
}

/** Offer the ks of the cell, and keep the k if the cell has it. */
function fillK() {
  const of = clusterings.filter(column => column.cell === Number(element("cell").value));
  fill("k", of.map(column => column.k), () => { wantedK = of[element("k").selectedIndex].k; showCell(); });
  element("k").selectedIndex = Math.max(0, of.findIndex(column => column.k === wantedK));
}

/** What the map can be coloured by: two views of the cell's clustering, and the facts about the images. */
const views = [
  { title: "clusters of the cell", of: clustering => clustering },
  ...(labels ? [{ title: "class predicted by the cell", of: predictedBy }] : []),
  ...others.map(column => ({ title: column.title, of: () => column, isFact: true })),
];

function showColour() {
  const of = clusterings.filter(column => column.cell === Number(element("cell").value));
  colourBy(views[element("colour").value].of(of[element("k").selectedIndex]));
  showImage();
}

/** Show another cell or k; colours that do not depend on it give way to its clusters. */
function showCell() {
  if (views[element("colour").value].isFact) element("colour").value = 0;
  showColour();
}

function showMap(atOnce) {
  const { values, d } = data.maps[element("maps").value];
  scatter.move(values, d, atOnce === true);
  element("turn").hidden = d < 3;
  if (d < 3 && dragging === "turn") setDragging("pan");
  if (colour) showStates();
}

element("title").textContent = document.title = `Explorer: ${data.dataset}, ${data.study}`;
fill("maps", data.maps.map(map => map.name), showMap);
fill("colour", views.map(view => view.title), showColour);
fill("cell", data.cells.map((name, cell) => cell === data.opening.cell ? `${WHY[data.opening.reason]}: ${name}` : name), () => { fillK(); showCell(); });
fill("points", data.points.map(points => points.name), () => found.length && query());
for (const [id, act] of Object.entries({ all: () => {}, aside: KEYS.find(([key]) => key === "x")[2], clear: () => picks.choose([]), undo,
  export: exportPicks, query, next: toLabel, judge, yes: () => answer(true), no: () => answer(false), "other-group": judge, done: stopJudging,
  theme: swapTheme, nearer, farther, whole, help: () => element("keys").showModal(), "choose-found": () => picks.choose(found) })) element(id).onclick = act;
for (const id of DRAGGING) element(id).onclick = () => setDragging(id);
element("search").oninput = search;
element("file").onchange = event => event.target.files.length && findLike(event.target.files[0]);
document.addEventListener("dragover", event => event.preventDefault());
document.addEventListener("drop", event => { event.preventDefault(); if (event.dataTransfer.files.length) findLike(event.dataTransfer.files[0]); });
element("naming").onsubmit = giveName;
element("labelling").onsubmit = giveLabel;
element("accepting").onsubmit = acceptGroup;
element("purity").onchange = goOnJudging;
element("keys").append(make("h2", { textContent: "Keys" }), make("table", {}, ...KEYS.filter(([, text]) => text).map(([key, text]) => make("tr", {},
  make("td", {}, make("kbd", { textContent: { " ": "Space", ArrowLeft: "Arrows", Escape: "Esc" }[key] ?? key })), make("td", { textContent: text })))),
  make("p", { className: "note", textContent: "A click shows an image, Shift and a click chooses it. Picks stay in this browser; Export makes one table, " +
    "which the next run reads as subsets, as labels and as files to leave out." }),
  make("button", { textContent: "Close", onclick: () => element("keys").close() }));
Object.assign(scatter.canvas, { onpointerdown: drag, onpointermove: hover });
scatter.canvas.addEventListener("wheel", event => {
  event.preventDefault();
  scatter.zoom(Math.exp(-Math.max(-200, Math.min(200, event.deltaY)) / 300), ...inCanvas(event));
}, { passive: false });
setTheme(document.documentElement.dataset.theme);
showMap(true);
setDragging("pan");
element("cell").value = data.opening.cell;
fillK();
showColour();
showPicks();
say(`${images(data.n)} in ${data.cells.length} ${data.cells.length === 1 ? "cell" : "cells"}, opened with the ${WHY[data.opening.reason]} one. The wheel zooms, h lists the keys.`);
document.body.dataset.ready = "yes";
