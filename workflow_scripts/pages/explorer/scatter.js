/**
 * A map of points with thumbnails on one canvas.
 *
 * The points are written into an array of pixels by the processor: 200 000 of them take some milliseconds on any machine,
 * with or without a graphics card, and nothing has to be installed.
 */

const HIDDEN = 0, FAINT = 1, PLAIN = 2, MARKED = 3;
const NOWHERE = 65535, MIN_THUMBNAIL = 22, MOST_THUMBNAILS = 900, MOST_SEEN = 20000, FEW = 3000, LANDMARK = 40, BLOCK = 64, NEAREST_ZOOM = 400, MS_OF_A_MOVE = 500;

class Scatter {
  /**
   * The page sets `codes` (N,), `palette` (a packed ABGR colour by code), `css` (the same colours for frames), `states` (N,; each is one
   * of the four above), `at` (the row of the current image), and the colours `ink`, `outline` (the same, packed), `faint` and `background`.
   */
  constructor(canvas, thumbnails) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.thumbnails = thumbnails;
    this.showsThumbnails = true;
    this.view = { scale: 1, x: 0, y: 0 };
    this.shape = [];
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas, ratio = window.devicePixelRatio || 1;
    if (!clientWidth || !clientHeight) return;
    this.ratio = ratio;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.frame = this.context.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.frame.data.buffer);
    if (!this.fitted) this.fit();
    this.draw();
  }

  /** Show the whole map. */
  fit() {
    const side = 0.88 * Math.min(this.canvas.width, this.canvas.height);
    this.fitted = side > 0;
    this.view = { scale: side, x: (this.canvas.width - side) / 2, y: (this.canvas.height - side) / 2 };
  }

  /** Move the points to other coordinates (N x d, uint16; d is 2 or 3), at once or in steps that the eye can follow. */
  move(places, d, atOnce) {
    const from = this.xy, start = performance.now(), move = this.moving = Symbol();
    this.d = d;
    this.n = places.length / d;
    this.coordinates = Float32Array.from(places, value => value === NOWHERE ? NaN : value / (NOWHERE - 1) - 0.5);
    this.axes = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
    const to = this.target = this.project();
    if (atOnce || !from || matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.xy = to;
      this.draw();
      return;
    }
    const step = now => {
      if (this.moving !== move) return;
      const share = Math.min(1, (now - start) / MS_OF_A_MOVE), eased = share * share * (3 - 2 * share);
      this.xy = share < 1 ? to.map((value, i) => Number.isNaN(from[i]) ? value : from[i] + (value - from[i]) * eased) : to;
      this.draw();
      if (share < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** Return whether the map has a place for an image. */
  has(row) { return !Number.isNaN(this.target[2 * row]); }

  /** Return the coordinates (N x 2) on the two axes of the screen. */
  project() {
    const { coordinates, d, n } = this, xy = new Float32Array(2 * n), [right, down] = this.axes;
    for (let row = 0; row < n; row++) {
      const x = coordinates[d * row], y = coordinates[d * row + 1], z = d > 2 ? coordinates[d * row + 2] : 0;
      xy[2 * row] = 0.5 + x * right[0] + y * right[1] + z * right[2];
      xy[2 * row + 1] = 0.5 + x * down[0] + y * down[1] + z * down[2];
    }
    return xy;
  }

  /** Turn a map of three dimensions by two angles: to the side, and downwards. */
  turn(side, down) {
    if (this.d < 3) return;
    const rotate = (first, angle) => {
      const [a, z] = [this.axes[first], this.axes[2]], cos = Math.cos(angle), sin = Math.sin(angle);
      this.axes[first] = a.map((value, i) => value * cos + z[i] * sin);
      this.axes[2] = z.map((value, i) => value * cos - a[i] * sin);
    };
    rotate(0, side);
    rotate(1, down);
    this.moving = null;
    this.xy = this.target = this.project();
    this.draw();
  }

  /** Draw at the next frame, once for all changes before it. */
  draw() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.drawNow(); });
  }

  drawNow() {
    if (!this.xy || !this.pixels || !this.states) return;
    const { width, height } = this.canvas;
    const radius = Math.max(1, Math.round((this.n > 50000 ? 1 : this.n > 5000 ? 2 : 3) * this.ratio));
    this.pixels.fill(this.background);
    this.across = Math.ceil(width / BLOCK);
    this.blocks = new Uint8Array(this.across * Math.ceil(height / BLOCK));
    this.paint(FAINT, Math.max(1, radius - 1), this.faint);
    const seen = this.paint(PLAIN, radius) + this.paint(MARKED, radius + 2, this.outline);
    this.paint(MARKED, radius);
    this.context.putImageData(this.frame, 0, 0);
    this.drawThumbnails(seen);
    this.drawRing(this.at, radius + 3 * this.ratio);
    this.drawShape();
  }

  /**
   * Paint a disc for each image in a state, in a packed colour or in that of its code, and mark the blocks of the canvas with discs.
   * Return the number of images in view.
   */
  paint(state, radius, packed) {
    const { xy, states, codes, pixels, palette, blocks, across, n } = this, { scale, x: left, y: top } = this.view;
    const width = this.canvas.width, right = width - radius - 1, bottom = this.canvas.height - radius - 1;
    const halves = Int32Array.from({ length: 2 * radius + 1 }, (_, i) => Math.round(Math.sqrt((radius + 0.3) ** 2 - (i - radius) ** 2)));
    let seen = 0;
    for (let row = 0; row < n; row++) {
      if (states[row] !== state) continue;
      const x = xy[2 * row] * scale + left, y = xy[2 * row + 1] * scale + top;
      if (!(x >= radius && y >= radius && x < right && y < bottom)) continue;
      seen++;
      blocks[(y / BLOCK | 0) * across + (x / BLOCK | 0)] = 1;
      const colour = packed ?? palette[codes[row]];
      for (let i = 0, line = ((y | 0) - radius) * width + (x | 0); i < halves.length; i++, line += width) {
        for (let at = line - halves[i], end = line + halves[i]; at <= end; at++) pixels[at] = colour;
      }
    }
    return seen;
  }

  /**
   * Return the side of a thumbnail in pixels, at which about half of the images in view have room; 0 if there are too many.
   * If there are few images, some thumbnails are shown even if most have no room, to show where on the map one is.
   */
  sideFor(seen) {
    if (!this.showsThumbnails || !seen || seen > MOST_SEEN) return 0;
    const covered = this.blocks.reduce((sum, block) => sum + block, 0) * BLOCK ** 2;
    const side = Math.min(Math.sqrt(0.9 * covered / seen), 1.5 * Math.max(this.thumbnails.width, this.thumbnails.height));
    return seen <= FEW ? Math.max(side, LANDMARK * this.ratio) : side < MIN_THUMBNAIL * this.ratio ? 0 : side;
  }

  /** Draw the thumbnails for which there is room, each at its point; the other images stay points. */
  drawThumbnails(seen) {
    const side = this.sideFor(seen), { context, thumbnails } = this;
    this.side = side;
    if (!side) return;
    const shrink = side / Math.max(thumbnails.width, thumbnails.height);
    const width = thumbnails.width * shrink, height = thumbnails.height * shrink, taken = new Map();
    let drawn = 0;
    const one = row => {
      const [x, y] = this.place(row);
      if (!(x > -side && y > -side && x < this.canvas.width + side && y < this.canvas.height + side)) return;
      if (!this.hasRoom(taken, x, y, side)) return;
      drawn++;
      const outer = Math.max(2, side / 16), frame = (colour, wide) => {
        context.fillStyle = colour;
        context.fillRect(x - width / 2 - wide, y - height / 2 - wide, width + 2 * wide, height + 2 * wide);
      };
      if (this.states[row] === MARKED) frame(this.ink, 2 * outer);
      frame(this.css[this.codes[row]], outer);
      thumbnails.draw(context, row, x - width / 2, y - height / 2, width, height);
    };
    if (this.states[this.at]) one(this.at); // also if it is faint
    for (const state of [MARKED, PLAIN]) {
      for (let row = 0; row < this.n && drawn < MOST_THUMBNAILS; row++) if (this.states[row] === state) one(row);
    }
  }

  hasRoom(taken, x, y, side) {
    const column = Math.floor(x / side), line = Math.floor(y / side);
    for (let i = column - 1; i <= column + 1; i++) {
      for (let j = line - 1; j <= line + 1; j++) {
        const other = taken.get(i * 65536 + j);
        if (other && Math.abs(other[0] - x) < side * 0.9 && Math.abs(other[1] - y) < side * 0.9) return false;
      }
    }
    taken.set(column * 65536 + line, [x, y]);
    return true;
  }

  drawRing(row, radius) {
    if (row === undefined || row === null || !this.states[row]) return;
    const [x, y] = this.place(row), { context } = this, half = Math.max(radius, this.side ? this.side * 0.62 : 0);
    context.lineWidth = 3 * this.ratio;
    context.strokeStyle = this.ink;
    context.beginPath();
    context.arc(x, y, half, 0, 2 * Math.PI);
    context.stroke();
  }

  drawShape() {
    if (this.shape.length < 2) return;
    const { context } = this;
    context.lineWidth = 1.5 * this.ratio;
    context.strokeStyle = this.ink;
    context.setLineDash([6, 4]);
    context.beginPath();
    this.shape.forEach(([x, y]) => context.lineTo(x, y));
    context.closePath();
    context.stroke();
    context.setLineDash([]);
  }

  place(row) {
    return [this.xy[2 * row] * this.view.scale + this.view.x, this.xy[2 * row + 1] * this.view.scale + this.view.y];
  }

  pan(dx, dy) {
    this.view.x += dx;
    this.view.y += dy;
    this.draw();
  }

  /** Zoom by a factor; the point at (x, y) stays where it is: by default the image that is looked at, or the middle. */
  zoom(factor, ...fixed) {
    const middle = [this.canvas.width / 2, this.canvas.height / 2];
    const [x, y] = fixed.length ? fixed : this.states[this.at] && !this.isOutside(this.at) ? this.place(this.at) : middle;
    const least = 0.3 * Math.min(this.canvas.width, this.canvas.height);
    const scale = Math.max(least, Math.min(NEAREST_ZOOM * this.canvas.height, this.view.scale * factor));
    const real = scale / this.view.scale;
    this.view = { scale, x: x - (x - this.view.x) * real, y: y - (y - this.view.y) * real };
    this.draw();
  }

  /** Return whether the place of an image is outside the canvas or at its border. */
  isOutside(row) {
    const [x, y] = this.place(row), margin = 20 * this.ratio;
    return x < margin || y < margin || x > this.canvas.width - margin || y > this.canvas.height - margin;
  }

  /** Bring an image into view: in the middle, if it was not in view. */
  reveal(row) {
    const [x, y] = this.place(row);
    if (this.isOutside(row)) this.pan(this.canvas.width / 2 - x, this.canvas.height / 2 - y);
    else this.draw();
  }

  /** Return the image at a position on the canvas; null if there is none. */
  rowAt(x, y) {
    let best = null, least = Math.max(10 * this.ratio, (this.side || 0) * 0.7) ** 2;
    for (let row = 0; row < this.n; row++) {
      if (this.states[row] < PLAIN) continue;
      const dx = this.xy[2 * row] * this.view.scale + this.view.x - x, dy = this.xy[2 * row + 1] * this.view.scale + this.view.y - y;
      const distance = dx * dx + dy * dy;
      if (distance < least) { least = distance; best = row; }
    }
    return best;
  }

  /** Return the nearest image in a direction (dx, dy) from another image; null if there is none. */
  rowBeside(from, dx, dy) {
    const [x, y] = this.place(from);
    let best = null, least = Infinity;
    for (let row = 0; row < this.n; row++) {
      if (this.states[row] < PLAIN || row === from) continue;
      const [left, top] = this.place(row), along = (left - x) * dx + (top - y) * dy;
      const aside = Math.abs((left - x) * dy) + Math.abs((top - y) * dx);
      if (!(along > 0) || aside > 2 * along) continue;
      if (along + 2 * aside < least) { least = along + 2 * aside; best = row; }
    }
    return best;
  }

  /** Return the images inside the polygon that was drawn, in canvas pixels. */
  rowsInShape() {
    const inside = [], shape = this.shape;
    for (let row = 0; row < this.n; row++) {
      if (this.states[row] < PLAIN) continue;
      const [x, y] = this.place(row);
      let odd = false;
      for (let i = 0, j = shape.length - 1; i < shape.length; j = i++) {
        const [ax, ay] = shape[i], [bx, by] = shape[j];
        if ((ay > y) !== (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax) odd = !odd;
      }
      if (odd) inside.push(row);
    }
    return inside;
  }
}
