/** The data of the page: one compressed block of arrays, and JSON with the offset, type and length of each array. */

async function inflate(base64) {
  const packed = await (await fetch(`data:application/octet-stream;base64,${base64}`)).blob();
  return new Response(packed.stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}

const TYPES = { Uint8Array, Uint16Array, Uint32Array, Int8Array, Float32Array };

/** Return the data, with the arrays in place of their offsets. */
async function readData() {
  if (!window.DecompressionStream) {
    element("status").textContent = "This browser is too old for this page: Chrome 80, Firefox 113, Safari 16.4 and newer ones open it.";
  }
  const data = JSON.parse(element("data").textContent);
  element("data").remove();
  const pack = await inflate(data.pack);
  const array = place => new TYPES[place.type](pack, place.start, place.length);
  const read = things => things.map(thing => ({ ...thing, values: array(thing.values) }));
  const names = JSON.parse(new TextDecoder().decode(array(data.names)));
  return { ...data, ...names, pack: null, columns: read(data.columns), maps: read(data.maps), points: read(data.points),
    sheets: { ...data.sheets, places: array(data.sheets.places) } };
}

/** The thumbnails. A sheet is loaded when one of its images is first drawn; `onload` is called when a sheet is loaded. */
class Thumbnails {
  constructor(sheets, onload) {
    Object.assign(this, sheets);
    this.onload = onload;
    this.images = sheets.sources.map(() => null);
  }

  /** Draw an image into a rectangle; return false if its sheet is not loaded yet. */
  draw(context, row, x, y, width, height) {
    const each = this.columns * this.rows, at = this.places[row], sheet = Math.floor(at / each), place = at % each;
    const image = this.images[sheet] ??= this.load(sheet);
    if (!image.complete || !image.naturalWidth) return false;
    context.drawImage(image, place % this.columns * this.width, Math.floor(place / this.columns) * this.height,
      this.width, this.height, x, y, width, height);
    return true;
  }

  /** Load a sheet, and return it when it is decoded. */
  async sheet(sheet) {
    const image = this.images[sheet] ??= this.load(sheet);
    await image.decode();
    return image;
  }

  load(sheet) {
    return Object.assign(new Image(), { onload: this.onload, src: this.sources[sheet] });
  }
}

const LOOK = 12; // side in pixels of the grey images by which thumbnails are compared

/** Return grey values as a vector with mean 0 and length 1. */
function toLook(greys) {
  const mean = greys.reduce((sum, grey) => sum + grey, 0) / greys.length, shifted = greys.map(grey => grey - mean);
  const length = Math.sqrt(shifted.reduce((sum, value) => sum + value * value, 0)) || 1;
  return shifted.map(value => value / length);
}

/** Resize an image, or its part (x, y, width, height), to `width` x `height`; return its grey values, row by row. */
function greys(image, width, height, ...part) {
  const context = make("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(image, ...(part.length ? part : [0, 0, image.naturalWidth, image.naturalHeight]), 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return Float32Array.from({ length: width * height }, (_, i) => 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]);
}

/** Return a point for every image: its thumbnail as LOOK x LOOK grey values, without brightness and contrast. */
async function looksOf(thumbnails, n) {
  const { columns, rows, width, height, places, sources } = thumbnails, values = new Float32Array(n * LOOK * LOOK);
  const sheets = await Promise.all(sources.map((_, sheet) => thumbnails.sheet(sheet)));
  const small = sheets.map(sheet => greys(sheet, columns * LOOK, Math.round(sheet.naturalHeight / height) * LOOK));
  for (let row = 0; row < n; row++) {
    const place = places[row] % (columns * rows), sheet = small[Math.floor(places[row] / (columns * rows))];
    const left = place % columns * LOOK, top = Math.floor(place / columns) * LOOK, look = new Float32Array(LOOK * LOOK);
    for (let y = 0; y < LOOK; y++) look.set(sheet.subarray((top + y) * columns * LOOK + left, (top + y) * columns * LOOK + left + LOOK), y * LOOK);
    values.set(toLook(look), row * LOOK * LOOK);
  }
  return { d: LOOK * LOOK, values };
}

/** Return the `count` rows in `among` whose points are nearest to a point, the nearest first. */
function nearestRows(points, target, count, among) {
  const { d, values } = points, near = [];
  for (const row of among) {
    let distance = 0;
    for (let i = 0, start = row * d; i < d; i++) distance += (values[start + i] - target[i]) ** 2;
    if (near.length === count && distance >= near[count - 1].distance) continue;
    let place = near.length;
    while (place > 0 && near[place - 1].distance > distance) place--;
    near.splice(place, 0, { row, distance });
    near.length = Math.min(near.length, count);
  }
  return near.map(each => each.row);
}

/** Return the mean point of some rows. */
function meanPoint(points, rows) {
  const mean = new Float64Array(points.d);
  for (const row of rows) for (let i = 0; i < points.d; i++) mean[i] += points.values[row * points.d + i] / rows.length;
  return mean;
}

/**
 * Pair the groups of two partitions; the two that share most images are paired first. `before` and `after` are codes, 0 for none.
 * Return a Map from a code after to the code before.
 */
function pairGroups(before, after) {
  const shared = new Map();
  for (let row = 0; row < after.length; row++) {
    if (!before[row] || !after[row]) continue;
    const key = before[row] * 65536 + after[row];
    shared.set(key, (shared.get(key) || 0) + 1);
  }
  const pairs = new Map(), taken = new Set();
  for (const [key] of [...shared].sort((a, b) => b[1] - a[1])) {
    const was = Math.floor(key / 65536), is = key % 65536;
    if (pairs.has(is) || taken.has(was)) continue;
    pairs.set(is, was);
    taken.add(was);
  }
  return pairs;
}
