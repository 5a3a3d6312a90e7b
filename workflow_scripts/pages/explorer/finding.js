/** Find images (the nearest ones, those that look like a file, those with a name or a label), and show the images found. */

const FOUND = 24;
const PREDICT = "For the clusters and classes of new images: snakemake --cores 8 predict --config new_images=FOLDER";

class Finding {
  /** `named(row)` returns the name of an image, `look(row)` shows it on the map, and `onChoose(rows)` chooses images. */
  constructor(data, scatter, { named, look, onChoose }) {
    Object.assign(this, { data, scatter, named, look, rows: [] });
    element("choose-found").onclick = () => onChoose(this.rows);
  }

  get isEmpty() { return !this.rows.length; }

  show(title, rows, note = "") {
    this.rows = rows;
    element("found-title").textContent = title;
    element("found-note").textContent = note;
    this.draw();
  }

  draw() {
    element("found").hidden = !element("found-title").textContent;
    element("found-images").replaceChildren(...this.rows.slice(0, FOUND).map(row => this.thumbnail(row)));
  }

  /** Return a button with the thumbnail of an image; a click shows the image on the map. */
  thumbnail(row, side = 56) {
    const { width, height } = this.data.sheets, shrink = side / Math.max(width, height), name = this.named(row);
    const canvas = make("canvas", { width: Math.round(width * shrink * 2), height: Math.round(height * shrink * 2) });
    canvas.style.width = `${canvas.width / 2}px`;
    this.scatter.thumbnails.draw(canvas.getContext("2d"), row, 0, 0, canvas.width, canvas.height);
    return make("button", { title: name, ariaLabel: name, onclick: () => this.look(row) }, canvas);
  }

  /** Show the images on the map that are nearest to the mean of some rows, in a space of `points`. */
  nearest(title, points, from) {
    const taken = new Set(from), among = [...this.data.ids.keys()].filter(row => !taken.has(row) && this.scatter.has(row));
    this.show(title, nearestRows(points, meanPoint(points, from), FOUND, among));
    element("found").scrollIntoView({ block: "nearest" });
  }

  /** Show the images whose thumbnails are most similar to a file of the user; nothing leaves the page. */
  async like(file) {
    const image = Object.assign(new Image(), { src: URL.createObjectURL(file) });
    try {
      await image.decode();
      const points = await (this.looks ??= looksOf(this.scatter.thumbnails, this.data.n));
      const rows = nearestRows(points, toLook(greys(image, LOOK, LOOK)), FOUND, this.data.ids.keys());
      this.show(`Look like ${file.name}`, rows, `Compared by look: ${LOOK} by ${LOOK} grey values of the thumbnails. ${PREDICT}`);
      this.look(rows[0]);
    } catch (error) {
      const why = error.name === "SecurityError" ? "A browser does not let the page read thumbnails from a folder" : "The browser cannot read this file";
      this.show(`Cannot compare ${file.name}`, [], `${why}. ${PREDICT}`);
    }
    URL.revokeObjectURL(image.src);
  }
}
