/** The images whose group changed from the previous clustering to the shown one, and their panel. */

class MovedImages {
  /** `before` is the previous colouring, called `title`; `pairs` has the group before of each group of the clustering `column`. */
  constructor(rows, before, column, pairs, title) {
    const both = rows.filter(row => before.codes[row] && column.values[row]);
    this.rows = new Set(both.filter(row => pairs.get(column.values[row]) !== before.codes[row]));
    this.isMarked = this.rows.size > 0;
    this.text = `${this.rows.size} of ${imagesInWords(both.length)} moved, against ${title}`;
  }

  /** Return whether an image is faint, because those that moved are marked and it did not. */
  isFaint(row) { return this.isMarked && !this.rows.has(row); }
}

/** Show the panel of the images that moved, and say their number with `say`; hide it if there is no clustering before (null). */
function showMovedPanel(moved, say) {
  element("moved").hidden = !moved;
  if (!moved) return;
  element("moved-text").textContent = moved.text;
  say(moved.text);
}
