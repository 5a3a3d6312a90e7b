const data = JSON.parse(element("data").textContent);
const deciding = new Deciding({ title: `Scales: ${data.dataset}`, exports: "scales",
  store: `clustergrid scales ${data.dataset}`, items: data.items,
  earlier: data.earlier, path: item => item.path, marks: { right: "✓", corrected: "→", none: "×" }, given: item => `${item.scale_um} ${item.nm_per_pixel}`,
  show, note, tell, columns: ["scale_um", "nm_per_pixel", "decision"], file: `${data.dataset}_scales.csv` });
const NM = { pm: 1e-3, "Å": 0.1, nm: 1, um: 1e3, "µm": 1e3, "μm": 1e3, mm: 1e6 };
let ends = null;

const rounded = number => Number(number.toPrecision(6));

/** Return a length in micrometres as text with the unit in which people write it. */
function inUnit(um) {
  const [unit, nm] = um >= 1e3 ? ["mm", 1e6] : um >= 1 ? ["µm", 1e3] : um >= 1e-3 ? ["nm", 1] : ["pm", 1e-3];
  return `${rounded(um * 1e3 / nm)} ${unit}`;
}

/** Return the number that a text gives, with a point or a comma before its decimals. `1,000` is NaN: it may be one or a thousand. */
const numberOf = text => /^\s*[1-9]\d{0,2},\d{3}\s*$/.test(text) ? NaN : Number(text.replace(",", "."));

/** Return in micrometres the length that a text such as `2 µm` gives, or null if it gives none. */
function lengthOf(text) {
  const match = /^\s*([\d.,]+)\s*(pm|Å|nm|[uµμ]m|mm)\s*$/.exec(text);
  const number = match ? numberOf(match[1]) : NaN;
  return number > 0 ? number * NM[match[2]] / 1e3 : null;
}

const decide = (decision, scale_um, nm_per_pixel) => deciding.decide(decision, { scale_um, nm_per_pixel });
const none = () => decide("none", null, null);

function right() {
  const { scale_um, nm_per_pixel } = deciding.item;
  return nm_per_pixel === null ? none() : decide("right", scale_um, nm_per_pixel);
}

/** Decide by the values of the form: the length that the bar stands for and its pixels, or the size of a pixel alone. */
function correct() {
  const text = element("length").value.trim(), length = lengthOf(text);
  const pixels = numberOf(element("pixels").value), size = numberOf(element("size").value);
  if (length && pixels > 0) return decide("corrected", rounded(length), rounded(length * 1e3 / pixels));
  if (!text && size > 0) return decide("corrected", null, rounded(size));
  element("wrong").textContent = text && !length ? "Write the length with its unit, no comma between thousands, and a point before three decimals: " +
    "2 µm, 1500 nm, 1.234 µm" : [pixels, size].some(Number.isNaN) ?
    "Write numbers without a comma between thousands, and with a point before three decimals: 1500, 1.234" :
    "Give the length and its pixels (click on both ends of the bar), or the size of a pixel alone";
}

/** Show the ends of the bar over the rows around it. */
function showEnds() {
  const { x, width } = deciding.item.crop || {};
  ["left", "right"].forEach((side, i) => {
    const is = ends && ends[i] !== null;
    element(side).hidden = !is;
    if (is) element(side).style.left = `${100 * (ends[i] - x) / width}%`;
  });
  if (ends && ends[0] !== null && ends[1] !== null) element("pixels").value = rounded(ends[1] - ends[0]);
}

/** Move the nearer end of the bar to the column that was clicked; the first two clicks set the ends if none is known. */
function mark(event) {
  const { x, width } = deciding.item.crop, box = element("bar").getBoundingClientRect();
  const column = x + (event.clientX - box.left) / box.width * width;
  if (!ends || ends[1] === null) ends = ends ? [Math.min(ends[0], column), Math.max(ends[0], column)] : [column, null];
  else ends[Math.abs(column - ends[0]) < Math.abs(column - ends[1]) ? 0 : 1] = column;
  showEnds();
}

/** Return a scale in words: the length of the bar, if it is known, and the size of a pixel. */
function inWords(scale_um, nm_per_pixel) {
  const size = nm_per_pixel === null ? "" : `${rounded(nm_per_pixel)} nm a pixel`;
  return nm_per_pixel === null ? "no scale" : scale_um === null ? size : `${inUnit(scale_um)}, ${size}`;
}

function facts(item) {
  const rows = { "read in": { image: "the image", hand: "a table of corrections", "": "nothing" }[item.source] ||
    `metadata (${item.source})`, text: item.text, confidence: item.confidence, "no scale because": item.reason,
    "width of the image": item.field_um === null ? "" : inUnit(item.field_um), pixels: item.crop ? `${item.width} × ${item.height}` : "" };
  return Object.entries(rows).filter(([, value]) => value !== "" && value !== null).map(([name, value]) =>
    make("tr", {}, make("td", { textContent: name }), make("td", { textContent: value })));
}

function showImage(item) {
  element("crop").hidden = element("whole").hidden = !item.crop;
  if (!item.crop) return;
  const scale = Math.min(4, 900 / item.crop.width, 420 / item.crop.height);
  Object.assign(element("bar"), { src: item.rows, alt: `Scale bar of ${item.path}`, className: scale > 1 ? "enlarged" : "",
    width: Math.round(item.crop.width * scale), height: Math.round(item.crop.height * scale) });
  element("whole").src = item.whole;
}

function show(item, decision) {
  const now = decision || item;
  element("path").textContent = `${deciding.at + 1} of ${data.items.length}: ${item.path}`;
  showImage(item);
  ends = item.bar_x === null || item.bar_x === undefined ? null : [item.bar_x, item.bar_x + item.bar_px];
  element("question").textContent = `Read: ${inWords(item.scale_um, item.nm_per_pixel)}` +
    (decision && decision.decision !== "right" ? `. Decided: ${inWords(now.scale_um, now.nm_per_pixel)}` : "");
  element("choices").replaceChildren(
    choice("right", "k", item.nm_per_pixel === null ? "It has no scale" : "It is right", right, decision && decision.decision === "right"),
    choice("none", "x", "No scale", none, decision && decision.decision === "none"));
  element("correct").className = `corrected ${decision && decision.decision === "corrected" ? "chosen" : ""}`;
  element("length").value = now.scale_um === null ? "" : inUnit(now.scale_um);
  element("size").value = now.nm_per_pixel === null ? "" : rounded(now.nm_per_pixel);
  element("pixels").value = now.scale_um === null ? item.bar_px === null ? "" : rounded(item.bar_px) :
    rounded(now.scale_um * 1e3 / now.nm_per_pixel);
  element("wrong").textContent = "";
  showEnds();
  element("facts").replaceChildren(...facts(item));
}

function note(row, item, decision) {
  const shown = decision || item;
  row.children[1].textContent = shown.scale_um !== null ? inUnit(shown.scale_um) : shown.nm_per_pixel !== null ? "pixel" : "none";
}

function tell(decided, count) {
  return `${decided} of ${data.items.length} checked: ${count("right")} right, ` +
    `${count("corrected")} corrected, ${count("none")} without a scale`;
}

element("crop").onclick = mark;
element("correction").onsubmit = event => { event.preventDefault(); document.activeElement.blur(); correct(); };
element("help").textContent = "Scales that were read in the image come first, the least certain at the top; then images without " +
  "a scale, then those with metadata. To correct one, click on the ends of the bar, press c, write what the bar stands for, and " +
  "press Enter. Backspace takes a decision back. Decisions stay in this browser; the next run reads the exported CSV with " +
  "intake: {scale_bars: true, scales: FILE}. Each export has the scales that were set by hand before: it replaces the earlier one.";
deciding.begin(
  item => make("li", { title: item.path },
    make("span", { className: "name", textContent: item.path.split("/").pop() }), make("span"), make("span")),
  { k: right, x: none, c: () => element("length").select() });
