/** The explorer: its choices of map, cell and colour, the current image, and the actions of keys and buttons. */

const WHY = { trusted: "most trusted", baseline: "baseline", first: "first" };
const MODES = ["pan", "turn", "lasso", "rectangle"], PAN = 80, NEARER = 1.3; // pixels; a factor

const data = await readData();
const clusterings = data.columns.filter(column => column.cell !== undefined);
const factColumns = data.columns.filter(column => column.cell === undefined);
const labels = factColumns.find(column => column.title === "label");
const scatter = new Scatter(element("map"), new Thumbnails(data.sheets, () => { scatter.draw(); showImage(); finding.draw(); }));
const gestures = new Gestures(scatter, { onTap: tapped, onDrawn: drawn, onHover: row => { scatter.canvas.title = row === null ? "" : about(row); } });
const picks = new Picks(`clustergrid picks ${data.dataset} ${data.study}`, data.ids, data.paths, data.labels_before, data.set_aside_before, showPicks);
const finding = new Finding(data, scatter, { named: about, look, onChoose: rows => picks.choose(rows) });
const judging = new Judging(picks, look);
const legend = new Legend(scatter, data.ids, { titleOf, isChosen: row => picks.state.chosen.has(row), say });
let wantedK = data.opening.k; // kept while a cell without this k is shown

const labelOf = row => labels && labels.values[row] ? labels.levels[labels.values[row] - 1] : "";

function say(text) { element("status").textContent = text; }

function titleOf(column) { return column.cell === undefined ? column.title : `${data.cells[column.cell]}, k = ${column.k}`; }

// ------------------------------------------------------------------------------------------------------- the current image

function about(row) { return data.paths[row] + (labelOf(row) ? `, labelled ${labelOf(row)}` : ""); }

function look(row) {
  scatter.at = row;
  scatter.reveal(row);
  showImage();
  say(about(row));
}

const clusteringsOf = cell => clusterings.filter(column => column.cell === cell);

/** Return for each cell the clustering with the wanted k, or its first clustering if it does not have this k. */
const clusteringOfEachCell = () => data.cells.map((_, cell) => clusteringsOf(cell).find(column => column.k === wantedK) ?? clusteringsOf(cell)[0]);

function showImage() {
  const row = scatter.at, large = element("large");
  element("image").hidden = element("details").hidden = row === undefined;
  if (row === undefined) return;
  Object.assign(large, { width: data.sheets.width, height: data.sheets.height, ariaLabel: about(row) });
  scatter.thumbnails.draw(large.getContext("2d"), row, 0, 0, large.width, large.height);
  element("path").textContent = about(row);
  showPick();
  const has = column => column.levels ? column.values[row] : !Number.isNaN(column.values[row]);
  const fact = column => make("tr", {}, make("td", { textContent: titleOf(column) }),
    make("td", { textContent: column.levels ? column.levels[column.values[row] - 1] : Number(column.values[row].toPrecision(4)), dir: "auto" }));
  element("facts").replaceChildren(...factColumns.filter(has).map(fact));
  element("cells").replaceChildren(...clusteringOfEachCell().filter(has).map(fact));
}

// ---------------------------------------------------------------------------------------------------------------- the picks

/** Show on its button whether the current image is chosen. */
const showPick = () => element("pick").setAttribute("aria-pressed", picks.state.chosen.has(scatter.at));

function showPicks() {
  showPicksPanel(picks, labels ? labels.levels : []);
  showPick();
  legend.showStates();
}

/** Call a function if images are chosen; otherwise show a message that there are none. */
function withChosen(act, done) {
  const count = picks.state.chosen.size;
  if (!count) return say("Choose images first: drag a lasso or a rectangle, or press Space at an image.");
  act();
  say(`${imagesInWords(count)} ${done}`);
}

/** Return a function for a form that calls `act` with the text of its input and moves the focus to the map. */
const onSubmit = (id, act) => event => {
  event.preventDefault();
  element("map").focus();
  act(element(id).value.trim());
};

/** Say why an input was not taken, and go back to it. */
function refuse(why, id) {
  say(why);
  typeInto(id);
}

function giveName(text) {
  const name = text.replace(/[^A-Za-z0-9_.-]+/g, "_");
  if (!NAME.test(name) || name === "all") return refuse("A selection's name begins with a letter, and is not all.", "name");
  withChosen(() => picks.name(name), `in ${name}. Export (e) writes the table for the next run.`);
}

const giveLabel = label => withChosen(() => picks.label(label), label ? `labelled ${label}` : "without a label of yours");
const setAside = () => withChosen(() => picks.setAside(), "set aside or taken back");

function togglePick() {
  if (scatter.at !== undefined) picks.toggle(scatter.at);
}

/** Choose images, and say how many are chosen. */
function choose(rows, how) {
  picks.choose(rows, how);
  say(`${imagesInWords(picks.state.chosen.size)} chosen`);
}

function chooseInView() {
  const { width, height } = scatter.canvas;
  choose(legend.shownRows().filter(row => {
    const [x, y] = scatter.place(row);
    return x >= 0 && y >= 0 && x < width && y < height;
  }));
}

function chooseGroup() {
  if (scatter.at === undefined) return say("Click an image first: then g chooses its group.");
  choose(legend.groupOf(scatter.at));
}

function undo() {
  picks.undo();
  judging.goOn();
}

/** Download the picks, and show the lines of the configuration with which the next run reads them. */
function exportPicks() {
  if (picks.isEmpty) return say("Nothing to export: name, label or set aside some images first.");
  const file = `${data.dataset}_${data.study}_picked.csv`;
  save(picks.csv(), file);
  element("next-run").hidden = false;
  element("next-run-lines").textContent = nextRunLines(file, picks.state, data).join("\n");
  element("next-run").scrollIntoView({ block: "nearest" });
  say(`Exported ${file}`);
}

/** Go to the image whose label helps most, and choose it; show the next ones beside the map. */
function toLabel() {
  const points = data.points[element("points").value], codes = clusteringOfEachCell()[element("cell").value].values;
  const rows = labelNext(points, codes, row => picks.labelOf(row) || labelOf(row) || picks.isAside(row), FOUND);
  if (!rows.length) return say("Every image in a cluster has a label.");
  picks.choose([rows[0]]);
  look(rows[0]);
  finding.show("To label next", rows);
}

/** Judge the group of the current image; if a group is already judged, judge the next one. */
function judge() {
  const { column, codes, levels } = legend.colouring, current = legend.isShown(scatter.at) ? scatter.at : legend.shownRows().find(row => codes[row]);
  const code = judging.next(column, levels.length) ?? (codes[current] || 1), name = levels[code - 1];
  const label = column.predicted ? column.predicted[code - 1] ?? "" : name;
  judging.begin(column, code, name, titleOf(column), [...codes.keys()].filter(row => codes[row] === code), label);
}

function acceptGroup(label) {
  if (!label) return refuse("Type the label of the group first.", "accepted");
  if (!judging.isGoodEnough) return refuse(element("good-enough").textContent, "accepted");
  say(`${imagesInWords(judging.accept(label))} labelled ${label}. Export (e) writes the table for the next run.`);
}

// ------------------------------------------------------------------------------------------------------------- what is found

/** Show the images nearest to the current image, or to the mean of the chosen images. */
function query() {
  const chosen = [...picks.state.chosen], from = chosen.length ? chosen : scatter.at === undefined ? [] : [scatter.at];
  if (!from.length) return say("Click an image or choose some first: then q finds the nearest images.");
  finding.nearest(chosen.length ? `Nearest to the mean of ${imagesInWords(chosen.length)}` : "Nearest images", data.points[element("points").value], from);
}

function search() {
  const text = element("search").value.trim().toLowerCase(), has = name => name.toLowerCase().includes(text);
  if (!text) return finding.show("", []);
  const rows = [...data.ids.keys()].filter(row => has(data.paths[row]) || has(labelOf(row)));
  finding.show(`${imagesInWords(rows.length)} found`, rows);
}

// ------------------------------------------------------------------------------------------------------------- the map

function tapped(row, event) {
  if (row !== null) event.shiftKey ? picks.toggle(row) : look(row);
}

function drawn(rows, event) { choose(rows, event.shiftKey ? "also" : event.altKey ? "not" : "only"); }

/** Go to the next image in a direction. */
function step(dx, dy) {
  const row = legend.isShown(scatter.at) ? scatter.rowBeside(scatter.at, dx, dy) : legend.shownRows()[0];
  if (row !== null && row !== undefined) look(row);
}

/** Move the map by a step in a direction; in the mode "turn", turn it. */
function shift(dx, dy) {
  const angle = TURN * PAN / 2;
  gestures.mode === "turn" ? scatter.turn(angle * dx, angle * dy) : scatter.pan(PAN * dx, PAN * dy);
}

function showWholeMap() {
  scatter.fit();
  scatter.draw();
}

function toggleThumbnails() {
  scatter.showsThumbnails = !scatter.showsThumbnails;
  scatter.draw();
}

function setMode(mode) {
  if (mode === "turn" && scatter.d < 3) return say("This map has two dimensions.");
  gestures.mode = mode;
  for (const id of MODES) element(id).setAttribute("aria-pressed", id === mode);
  scatter.canvas.classList.toggle("draws", DRAWS.includes(mode));
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const style = getComputedStyle(document.documentElement), value = name => style.getPropertyValue(name).trim();
  Object.assign(scatter, { background: packed(value("--map")), faint: packed(value("--faint")), ink: value("--ink"), outline: packed(value("--ink")) });
  element("theme").setAttribute("aria-pressed", theme === "dark");
  scatter.draw();
}

const swapTheme = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

// ------------------------------------------------------------------------------------------------------------- keys and buttons

/** What the keys do, as `listenToKeys` takes it. */
const ACTIONS = [
  ["ArrowLeft", "", "the image to the left, right, above, below; with Shift the map moves, or turns after u", () => step(-1, 0), () => shift(1, 0)],
  ["ArrowRight", "", "", () => step(1, 0), () => shift(-1, 0)],
  ["ArrowUp", "", "", () => step(0, -1), () => shift(0, 1)],
  ["ArrowDown", "", "", () => step(0, 1), () => shift(0, -1)],
  ["+", "nearer", "nearer", () => scatter.zoom(NEARER)], ["-", "farther", "farther", () => scatter.zoom(1 / NEARER)], ["0", "whole", "the whole map", showWholeMap],
  [" ", "pick", "choose the image, or take it back", togglePick],
  ["a", "", "choose all in view", chooseInView], ["g", "", "choose the image's group", chooseGroup],
  ["q", "query", "nearest to the image, or to the mean of the chosen", query],
  ["j", "next", "the image to label next", toLabel],
  ["p", "judge other-group", "judge the image's group, then the next group", judge], ["y", "yes", "it belongs to the group that is judged", () => judging.answer(true)],
  ["c", "", "accept the group that is judged", () => judging.isOn && typeInto("accepted")],
  ["n", "no", "name the chosen; while a group is judged: it does not belong", () => judging.isOn ? judging.answer(false) : typeInto("name")],
  ["l", "", "label the chosen", () => typeInto("label")],
  ["x", "aside", "set the chosen aside, or take them back", setAside],
  ["z", "undo", "undo", undo], ["Escape", "clear done", "choose nothing; stop judging", () => judging.isOn ? judging.stop() : picks.choose([])],
  ["e", "export", "export the picks as a CSV", exportPicks],
  ["[", "", "the cell before", () => chooseNeighbour("cell", -1)], ["]", "", "the next cell", () => chooseNeighbour("cell", 1)],
  [",", "", "the k before", () => chooseNeighbour("k", -1)], [".", "", "the next k", () => chooseNeighbour("k", 1)],
  ["m", "mark-moved", "mark what moved", () => legend.markMoved()], ["t", "", "thumbnails or points", toggleThumbnails],
  ["v", "pan", "drag moves the map", () => setMode("pan")], ["u", "turn", "drag turns a map of three dimensions", () => setMode("turn")],
  ["o", "lasso", "drag draws a lasso", () => setMode("lasso")], ["r", "rectangle", "drag draws a rectangle", () => setMode("rectangle")],
  ["/", "", "search", () => typeInto("search")], ["d", "theme", "dark or light", swapTheme],
  ["h", "help", "these keys", () => element("keys").showModal()],
];

function dropped(event) {
  event.preventDefault();
  if (event.dataTransfer.files.length) finding.like(event.dataTransfer.files[0]);
}

// ------------------------------------------------------------------------------------------------------------------ the choices

function fill(id, names, change) {
  const select = element(id);
  let byMouse = false; // after a choice by mouse, the keys belong to the map again
  select.replaceChildren(...names.map((textContent, value) => make("option", { value, textContent })));
  Object.assign(select, { onpointerdown: () => { byMouse = true; }, onkeydown: () => { byMouse = false; } });
  select.onchange = () => { change(); if (byMouse) scatter.canvas.focus(); };
}

const clusteringsOfCell = () => clusteringsOf(Number(element("cell").value));

/** Offer the ks of the cell, and keep the k if the cell has it. */
function fillK() {
  const of = clusteringsOfCell();
  fill("k", of.map(column => column.k), () => { wantedK = of[element("k").selectedIndex].k; showCell(); });
  element("k").selectedIndex = Math.max(0, of.findIndex(column => column.k === wantedK));
}

/** Return the class that the cluster of each image votes for as a column. It has the levels of the labels, and therefore their colours. */
function predictedBy(clustering) {
  const codeOf = new Map(labels.levels.map((name, i) => [name, i + 1]));
  const codes = [0, ...clustering.predicted.map(name => codeOf.get(name) ?? 0)];
  return { title: `class predicted by ${titleOf(clustering)}`, levels: labels.levels, values: clustering.values.map(code => codes[code]) };
}

/** What the map can be coloured by: two views of the cell's clustering, and the facts about the images. */
const COLOURINGS = [
  { title: "clusters of the cell", of: clustering => clustering },
  ...(labels ? [{ title: "class predicted by the cell", of: predictedBy }] : []),
  ...factColumns.map(column => ({ title: column.title, of: () => column, isFact: true })),
];

function showColour() {
  legend.colourBy(COLOURINGS[element("colour").value].of(clusteringsOfCell()[element("k").selectedIndex]));
  showImage();
}

/** Show another cell or k. If the map is coloured by a fact, which does not depend on the cell, colour it by the clusters instead. */
function showCell() {
  if (COLOURINGS[element("colour").value].isFact) element("colour").value = 0;
  showColour();
}

function showMap(atOnce) {
  const { values, d } = data.maps[element("maps").value];
  scatter.move(values, d, atOnce === true);
  element("turn").hidden = d < 3;
  if (d < 3 && gestures.mode === "turn") setMode("pan");
  if (legend.colouring) legend.showStates();
}

// ------------------------------------------------------------------------------------------------------------------ begin

function listen() {
  listenToKeys(ACTIONS, scatter.canvas);
  element("choose-moved").onclick = () => picks.choose(legend.moved.rows);
  element("naming").onsubmit = onSubmit("name", giveName);
  element("labelling").onsubmit = onSubmit("label", giveLabel);
  element("accepting").onsubmit = onSubmit("accepted", acceptGroup);
  element("purity").onchange = () => judging.goOn();
  element("search").oninput = search;
  element("file").onchange = event => event.target.files.length && finding.like(event.target.files[0]);
  document.addEventListener("dragover", event => event.preventDefault());
  document.addEventListener("drop", dropped);
}

function begin() {
  element("title").textContent = document.title = `Explorer: ${data.dataset}, ${data.study}`;
  fill("maps", data.maps.map(map => map.name), showMap);
  fill("colour", COLOURINGS.map(each => each.title), showColour);
  fill("cell", data.cells.map((name, cell) => cell === data.opening.cell ? `${WHY[data.opening.reason]}: ${name}` : name), () => { fillK(); showCell(); });
  fill("points", data.points.map(points => points.name), () => finding.isEmpty || query());
  listen();
  setTheme(document.documentElement.dataset.theme);
  showMap(true);
  setMode("pan");
  element("cell").value = data.opening.cell;
  fillK();
  showColour();
  showPicks();
  say(`${imagesInWords(data.n)} in ${data.cells.length} ${data.cells.length === 1 ? "cell" : "cells"}, opened with the ${WHY[data.opening.reason]} one. Zoom with the wheel, two fingers or the buttons; Keys (h) lists what else there is.`);
  document.body.dataset.ready = "yes";
}

begin();
