/** Find images: the nearest ones, those that look like a file, those with a name or a label; and show what was found. */

const FOUND = 24;
const PREDICT = "For the clusters and classes of new images: snakemake --cores 8 predict --config new_images=FOLDER";
let found = [];

function showFound(title, rows, note = "") {
  found = rows;
  element("found-title").textContent = title;
  element("found-note").textContent = note;
  drawFound();
}

function drawFound() {
  element("found").hidden = !element("found-title").textContent;
  element("found-images").replaceChildren(...found.slice(0, FOUND).map(row => thumbnail(row)));
}

/** Return a button with the thumbnail of an image; a click shows the image on the map. */
function thumbnail(row, side = 56) {
  const { width, height } = data.sheets, shrink = side / Math.max(width, height);
  const canvas = make("canvas", { width: Math.round(width * shrink * 2), height: Math.round(height * shrink * 2) });
  canvas.style.width = `${canvas.width / 2}px`;
  scatter.thumbnails.draw(canvas.getContext("2d"), row, 0, 0, canvas.width, canvas.height);
  return make("button", { title: about(row), ariaLabel: about(row), onclick: () => look(row) }, canvas);
}

/** Show the images nearest to the current image, or to the mean of the chosen images. */
function query() {
  const points = data.points[element("points").value], chosen = [...picks.state.chosen];
  const from = chosen.length ? chosen : scatter.at === undefined ? [] : [scatter.at];
  if (!from.length) return say("Click an image or choose some first: then q finds the nearest images.");
  const taken = new Set(from), among = [...data.ids.keys()].filter(row => !taken.has(row) && scatter.has(row));
  showFound(chosen.length ? `Nearest to the mean of ${images(chosen.length)}` : "Nearest images", nearestRows(points, meanPoint(points, from), FOUND, among));
  element("found").scrollIntoView({ block: "nearest" });
}

/** Show the images whose thumbnails are most similar to a file of the user; nothing leaves the page. */
async function findLike(file) {
  const image = Object.assign(new Image(), { src: URL.createObjectURL(file) });
  try {
    await image.decode();
    const points = await (scatter.looks ??= looksOf(scatter.thumbnails, data.n));
    const rows = nearestRows(points, toLook(greys(image, LOOK, LOOK)), FOUND, data.ids.keys());
    showFound(`Look like ${file.name}`, rows, `Compared by look: ${LOOK} by ${LOOK} grey values of the thumbnails. ${PREDICT}`);
    look(rows[0]);
  } catch (error) {
    const why = error.name === "SecurityError" ? "A browser does not let the page read thumbnails from a folder" : "The browser cannot read this file";
    showFound(`Cannot compare ${file.name}`, [], `${why}. ${PREDICT}`);
  }
  URL.revokeObjectURL(image.src);
}

function search() {
  const text = element("search").value.trim().toLowerCase(), has = name => name.toLowerCase().includes(text);
  if (!text) return showFound("", []);
  const rows = [...data.ids.keys()].filter(row => has(data.paths[row]) || has(labelOf(row)));
  showFound(`${images(rows.length)} found`, rows);
}
