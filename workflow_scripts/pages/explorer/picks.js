/** The picks of a person: chosen images, named selections, labels, images set aside, judged and accepted groups; each step can be undone. */

const MOST_STEPS = 100;
const NAME = /^[A-Za-z][A-Za-z0-9_.-]*$/;

class Picks {
  /**
   * The browser stores the picks under `key`, by the `ids` of the images, so that they stay valid if a run adds images. Images that
   * an earlier run left out, because they were set aside, are kept with their `paths` in `gone`: each export has them again.
   */
  constructor(key, ids, paths, changed) {
    Object.assign(this, { key, ids, paths, changed, steps: [], gone: [] });
    this.state = { chosen: new Set(), selections: new Map(), labels: new Map(), aside: new Set(), judged: new Map(), accepted: new Map(), ...this.kept() };
  }

  kept() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      if (!kept) return {};
      const rowOf = new Map(this.ids.map((id, row) => [id, row]));
      const rows = ids => new Set(ids.map(id => rowOf.get(id)).filter(row => row !== undefined));
      this.gone = (kept.gone ?? []).filter(([id]) => !rowOf.has(id));
      return {
        selections: new Map(kept.selections.map(([name, ids]) => [name, rows(ids)])),
        labels: new Map(kept.labels.filter(([id]) => rowOf.has(id)).map(([id, label]) => [rowOf.get(id), label])),
        aside: rows(kept.aside),
        judged: new Map(kept.judged.map(([group, looks]) =>
          [group, new Map(looks.filter(([id]) => rowOf.has(id)).map(([id, belongs]) => [rowOf.get(id), belongs]))])),
        accepted: new Map((kept.accepted ?? []).map(([group, { ids, ...facts }]) => [group, { ...facts, rows: rows(ids) }])),
      };
    } catch { return {}; /* the browser stores nothing */ }
  }

  keep() {
    const { selections, labels, aside, judged, accepted } = this.state, ids = rows => [...rows].map(row => this.ids[row]);
    const kept = { selections: [...selections].map(([name, rows]) => [name, ids(rows)]),
      labels: [...labels].map(([row, label]) => [this.ids[row], label]), aside: ids(aside),
      gone: [...this.gone, ...[...aside].map(row => [this.ids[row], this.paths[row]])],
      judged: [...judged].map(([group, looks]) => [group, [...looks].map(([row, belongs]) => [this.ids[row], belongs])]),
      accepted: [...accepted].map(([group, { rows, ...facts }]) => [group, { ...facts, ids: ids(rows) }]) };
    try { localStorage.setItem(this.key, JSON.stringify(kept)); } catch { /* the browser stores nothing: the picks last as long as the page */ }
  }

  change(parts) {
    this.steps = [...this.steps, this.state].slice(-MOST_STEPS);
    this.state = { ...this.state, ...parts };
    this.keep();
    this.changed();
  }

  undo() {
    if (!this.steps.length) return;
    this.state = this.steps.pop();
    this.keep();
    this.changed();
  }

  /** Choose images: `how` is "only" these, "also" these, or "not" these. */
  choose(rows, how = "only") {
    const chosen = new Set(how === "only" ? [] : this.state.chosen);
    for (const row of rows) how === "not" ? chosen.delete(row) : chosen.add(row);
    this.change({ chosen });
  }

  toggle(row) { this.choose([row], this.state.chosen.has(row) ? "not" : "also"); }

  /** Add the chosen images to the selection with a name. */
  name(name) {
    const { selections, chosen } = this.state, before = selections.get(name) || [];
    this.change({ selections: new Map(selections).set(name, new Set([...before, ...chosen])), chosen: new Set() });
  }

  forget(name) {
    const selections = new Map(this.state.selections);
    selections.delete(name);
    this.change({ selections });
  }

  /** Give the chosen images a label; "" removes the label. */
  label(label) {
    const labels = new Map(this.state.labels);
    for (const row of this.state.chosen) label ? labels.set(row, label) : labels.delete(row);
    this.change({ labels, chosen: new Set() });
  }

  /** Set the chosen images aside, or take them back if all of them are. */
  setAside() {
    const { chosen, aside } = this.state, back = [...chosen].every(row => aside.has(row)), next = new Set(aside);
    for (const row of chosen) back ? next.delete(row) : next.add(row);
    this.change({ aside: next, chosen: new Set() });
  }

  /** Forget the images that an earlier run left out, so that the next run takes them in again. */
  bringBack() {
    this.gone = [];
    this.change({});
  }

  /** Note whether an image belongs to a group. */
  judge(group, row, belongs) {
    const looks = new Map(this.state.judged.get(group)).set(row, belongs);
    this.change({ judged: new Map(this.state.judged).set(group, looks) });
  }

  /** Label all images of a group; `facts` are its `images`, `judged`, `belong`, and the interval `low` to `high`. */
  accept(group, label, rows, facts) {
    const labels = new Map(this.state.labels);
    for (const row of rows) labels.set(row, label);
    this.change({ labels, accepted: new Map(this.state.accepted).set(group, { ...facts, rows: new Set(rows) }) });
  }

  /** Take back that a group was accepted, and the labels of its images. */
  takeBack(group) {
    const labels = new Map(this.state.labels), accepted = new Map(this.state.accepted);
    for (const row of accepted.get(group).rows) labels.delete(row);
    accepted.delete(group);
    this.change({ labels, accepted });
  }

  /** Return all picks as one table: a row for each image and selection; `label` is empty for an image without a label. */
  csv() {
    const { selections, labels, aside } = this.state, of = new Map();
    for (const row of [...labels.keys(), ...aside]) of.set(row, []);
    for (const [name, rows] of selections) for (const row of rows) of.set(row, [...(of.get(row) || []), name]);
    const here = [...of].sort((a, b) => a[0] - b[0]).flatMap(([row, names]) =>
      (names.length ? names : [""]).map(name => [this.paths[row], labels.get(row) || "", name, aside.has(row) ? "yes" : "", this.ids[row]]));
    return table("path,label,selection,set_aside,image_id", [...here, ...this.gone.map(([id, path]) => [path, "", "", "yes", id])]);
  }

  /** Return the labels of the images of all accepted groups as a table, each with its group and the purity of the group. */
  labelsCsv() {
    const { labels, accepted } = this.state, of = new Map();
    for (const [group, { rows, images, judged, belong, low, high }] of accepted) {
      for (const row of rows) if (labels.has(row)) of.set(row, [this.paths[row], labels.get(row), this.ids[row], group, images, judged, belong, low, high]);
    }
    return table("path,label,image_id,group,images,judged,belong,low,high", [...of].sort((a, b) => a[0] - b[0]).map(([, cells]) => cells));
  }
}
