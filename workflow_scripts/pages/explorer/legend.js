/** The legend: it colours the images by a column, and lists their groups, which it shows and hides. */

class Legend {
  /** `titleOf(column)` returns the title of a column, `isChosen(row)` whether an image is chosen, and `say(text)` shows a message. */
  constructor(scatter, ids, { titleOf, isChosen, say }) {
    Object.assign(this, { scatter, rows: [...ids.keys()], titleOf, isChosen, say, colouring: null, hidden: new Set(), moved: null });
    scatter.states = new Uint8Array(ids.length).fill(PLAIN);
    element("all").onclick = () => this.hide(new Set());
  }

  /** Colour the map by a column. A cluster gets the colour of the group of the previous clustering with which it shares most images. */
  colourBy(column) {
    const { scatter, colouring: before } = this, isClustering = each => each?.column.cell !== undefined;
    const isOther = column.levels && isClustering({ column }) && isClustering(before) && before.column !== column;
    const pairs = isOther ? pairGroups(before.codes, column.values) : new Map();
    const kept = new Map([...pairs].map(([is, was]) => [is, before.slots[was]]));
    this.colouring = column.levels ? inGroups(column, kept) : inSteps(column);
    this.moved = isOther ? new MovedImages(this.rows, before, column, pairs, this.titleOf(before.column)) : null;
    Object.assign(scatter, { codes: this.colouring.codes, css: [NOTHING, ...this.colouring.colours] });
    scatter.palette = Uint32Array.from(scatter.css, packed);
    showMovedPanel(this.moved, this.say);
    this.showGroups();
  }

  /** Mark the images that moved, or end marking them. */
  markMoved() {
    if (!this.moved) return;
    this.moved.isMarked = !this.moved.isMarked;
    this.showStates();
  }

  showGroups() {
    const { codes, levels, column } = this.colouring, counts = new Uint32Array(levels.length + 1);
    for (const code of codes) counts[code]++;
    const groups = [...levels.map((name, i) => [i + 1, name]), ...(counts[0] ? [[0, "no value"]] : [])];
    element("legend-title").textContent = this.titleOf(column);
    element("legend").replaceChildren(...groups.flatMap(([code, name]) => this.entry(code, name, counts[code], groups)));
    this.hide(new Set());
  }

  /** Return the button of a group, which hides or shows it, and the button that shows it alone. */
  entry(code, name, count, groups) {
    const swatch = make("i"), all = groups.map(([each]) => each);
    swatch.style.background = this.scatter.css[code];
    const toggled = () => new Set(all.filter(each => this.hidden.has(each) !== (each === code)));
    const button = make("button", { title: name, onclick: () => this.hide(toggled()) },
      swatch, make("span", { textContent: name, dir: "auto" }), make("small", { textContent: count }));
    button.dataset.code = code;
    return [button, make("button", { className: "only", textContent: "only", title: `Only ${name}`,
      onclick: () => this.hide(new Set(all.filter(each => each !== code))) })];
  }

  /** Hide the groups with these codes. */
  hide(hidden) {
    this.hidden = hidden;
    for (const button of element("legend").querySelectorAll("[data-code]")) button.setAttribute("aria-pressed", !hidden.has(Number(button.dataset.code)));
    this.showStates();
  }

  stateOf(row) {
    if (this.hidden.has(this.colouring.codes[row]) || !this.scatter.has(row)) return HIDDEN;
    if (this.isChosen(row)) return MARKED;
    return this.moved?.isFaint(row) ? FAINT : PLAIN;
  }

  /** Draw each image as hidden, chosen, faint or plain, and count those that are not hidden. */
  showStates() {
    let shown = 0;
    for (const row of this.rows) shown += (this.scatter.states[row] = this.stateOf(row)) !== HIDDEN;
    element("mark-moved").setAttribute("aria-pressed", this.moved?.isMarked ?? false);
    element("shown").textContent = `${shown} of ${imagesInWords(this.rows.length)} shown`;
    this.scatter.draw();
  }

  /** Return whether an image is neither hidden nor faint. */
  isShown(row) { return this.scatter.states[row] >= PLAIN; }

  shownRows() { return this.rows.filter(row => this.isShown(row)); }

  /** Return the shown images of the same group as an image. */
  groupOf(row) { return this.shownRows().filter(each => this.colouring.codes[each] === this.colouring.codes[row]); }
}
