/** Judge the images of a group one after the other, and label the whole group once it is good enough. */

const WIDTH = 0.1; // an interval of a group's purity is narrow enough if it is no wider than WIDTH

class Judging {
  /** `look(row)` shows an image on the map. */
  constructor(picks, look) { Object.assign(this, { picks, look, group: null }); }

  get isOn() { return this.group !== null; }

  /** Return the code of the group after the judged one among `count` groups, or null if no group of this column is judged. */
  next(column, count) { return this.group?.column === column ? this.group.code % count + 1 : null; }

  /** Begin to judge the group with this code in a column. `rows` are its images, `title` names the column, and `label` is a suggestion. */
  begin(column, code, name, title, rows, label) {
    const key = `${title}: ${name}`;
    this.group = { column, code, name, key, order: drawnOrder(rows, seedOf(key)) };
    element("accepted").value = label;
    this.goOn();
  }

  stop() {
    this.group = null;
    this.goOn();
  }

  /** Return for each judged image whether it belongs, and the numbers of these, with an exact interval for the whole group. */
  judged() {
    const { order, key } = this.group, looks = this.picks.state.judged.get(key) ?? new Map();
    const belong = order.filter(row => looks.get(row)).length, all = order.filter(row => looks.has(row)).length;
    const [low, high] = countInterval(order.length, all, belong);
    return { looks, facts: { images: order.length, judged: all, belong, low, high } };
  }

  /** Show the next image of the group, and what is known of the group. */
  goOn() {
    element("judging").hidden = !this.isOn;
    element("judging").parentElement.classList.toggle("judges", this.isOn);
    if (!this.isOn) return;
    const { looks, facts } = this.judged();
    this.row = this.group.order.find(row => !looks.has(row));
    element("judged-title").textContent = `Does it belong to ${this.group.name}?`;
    element("judged-so-far").textContent = purityInWords(facts);
    element("good-enough").textContent = enoughInWords(facts);
    if (this.row !== undefined) this.look(this.row);
  }

  answer(belongs) {
    if (!this.isOn || this.row === undefined) return;
    this.picks.judge(this.group.key, this.row, belongs);
    this.goOn();
  }

  get isGoodEnough() { return wanted(this.judged().facts).more === 0; }

  /** Label all images of the group except those judged wrong, and return the number of labelled images. */
  accept(label) {
    const { looks, facts } = this.judged(), rows = this.group.order.filter(row => looks.get(row) !== false);
    this.picks.accept(this.group.key, label, rows, facts);
    return rows.length;
  }
}

/** Return a seed that depends on a text alone (FNV-1a). */
const seedOf = text => [...text].reduce((hash, letter) => Math.imul(hash ^ letter.codePointAt(0), 16777619), 2166136261);

/** Return how many images of a group have to belong, and how many more a person has to judge to be sure that they do. */
function wanted({ images: size, judged: all, belong }) {
  const least = Math.max(1, Math.ceil(size * element("purity").value / 100 - 1e-9));
  return { least, more: looksToAccept(size, all, belong, least) };
}

function purityInWords({ images: size, judged: all, belong, low, high }) {
  const percent = count => `${Math.round(100 * count / size)} %`, narrower = looksToWidth(size, all, belong, WIDTH);
  if (!all) return `No image of this group has been judged. If all belong, ${narrower} looks make the interval ${percent(WIDTH * size)} wide.`;
  return `${belong} of ${all} belong, so with 95 % confidence ${low} to ${high} of all ${size} (${percent(low)} to ${percent(high)}). ` +
    (narrower ? `Judge ${narrower} more images to make this interval ${percent(WIDTH * size)} wide.` : "This is exact enough.");
}

function enoughInWords(facts) {
  const { least, more } = wanted(facts);
  if (more === null) return `Not good enough: fewer than ${least} of ${facts.images} belong.`;
  return more ? `Good enough after ${more} more, if all of them belong.` : "Good enough: c labels all its images but the wrong ones.";
}
