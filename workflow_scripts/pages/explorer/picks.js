/** The picks of a person: chosen images, named selections, labels, images set aside, judged and accepted groups; each step can be undone. */

const MOST_STEPS = 100;
const NAME = /^[A-Za-z][A-Za-z0-9_.-]*$/;

class Picks {
  /**
   * The browser stores the picks under `key`, by the `ids` of the images, so that they stay valid if a run adds images. Each export
   * has again what the run has read of earlier ones: the labels (`earlier`), and the paths of the images that it left out (`leftOut`),
   * but for those that were `forgotten`. Those that this browser set aside are kept in `gone`, with their ids; the labels that it gave to
   * images that are not on the page, in `away`.
   */
  constructor(key, ids, paths, earlier, leftOut, changed) {
    Object.assign(this, { key, ids, paths, earlier, changed, steps: [], away: [] });
    this.state = { chosen: new Set(), selections: new Map(), labels: new Map(), decided: new Map(), aside: new Set(), judged: new Map(), accepted: new Map(),
      gone: [], forgotten: [], ...this.kept() };
    const { gone, forgotten } = this.state, known = new Set([...forgotten, ...gone.map(([, path]) => path)]);
    gone.push(...leftOut.filter(path => !known.has(path)).map(path => ["", path]));
  }

  get gone() { return this.state.gone; }

  kept() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      if (!kept) return {};
      const rowOf = new Map(this.ids.map((id, row) => [id, row])), here = new Set(this.paths);
      const rows = ids => new Set(ids.map(id => rowOf.get(id)).filter(row => row !== undefined));
      kept.forgotten = (kept.forgotten ?? []).filter(path => !here.has(path));
      localStorage.setItem(this.key, JSON.stringify(kept)); // an image that is back is no longer forgotten, also if nothing is picked on this page
      this.away = kept.labels.filter(([id, , , path]) => path && !rowOf.has(id))
        .map(([image_id, label, decided, path]) => ({ path, label, image_id, decided }));
      const read = new Map(this.earlier.map(({ path, decided }) => [path, decided])); // of these, the later ones replace those of this browser
      const own = kept.labels.filter(([id, , time]) => rowOf.has(id) && !(time && read.get(this.paths[rowOf.get(id)]) > time));
      return {
        gone: (kept.gone ?? []).filter(([id, path]) => !rowOf.has(id) && !here.has(path)),
        forgotten: kept.forgotten,
        selections: new Map(kept.selections.map(([name, ids]) => [name, rows(ids)])),
        labels: new Map(own.filter(([, label]) => label).map(([id, label]) => [rowOf.get(id), label])),
        decided: new Map(own.map(([id, , time]) => [rowOf.get(id), time])),
        aside: rows(kept.aside),
        judged: new Map(kept.judged.map(([group, looks]) =>
          [group, new Map(looks.filter(([id]) => rowOf.has(id)).map(([id, belongs]) => [rowOf.get(id), belongs]))])),
        accepted: new Map((kept.accepted ?? []).map(([group, { before = [], ...facts }]) =>
          [group, { ...facts, before: new Map(before.filter(([id]) => rowOf.has(id)).map(([id, label]) => [rowOf.get(id), label])) }])),
      };
    } catch { return {}; /* the browser stores nothing */ }
  }

  keep() {
    const { selections, labels, decided, aside, judged, accepted, gone, forgotten } = this.state, ids = rows => [...rows].map(row => this.ids[row]);
    const kept = { selections: [...selections].map(([name, rows]) => [name, ids(rows)]),
      labels: [...decided].map(([row, time]) => [this.ids[row], labels.get(row) ?? "", time, this.paths[row]])
        .concat(this.away.map(({ path, label, image_id, decided: time }) => [image_id, label, time, path])),
      aside: ids(aside), forgotten,
      gone: [...gone.filter(([id]) => id), ...[...aside].map(row => [this.ids[row], this.paths[row]])],
      judged: [...judged].map(([group, looks]) => [group, [...looks].map(([row, belongs]) => [this.ids[row], belongs])]),
      accepted: [...accepted].map(([group, { before, ...facts }]) =>
        [group, { ...facts, before: [...before].map(([row, label]) => [this.ids[row], label]) }]) };
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
  label(label) { this.change({ ...this.labelled([...this.state.chosen].map(row => [row, label])), chosen: new Set() }); }

  /** Return the labels of all images, and their times, once some images have got these `[row, label]`; "" removes the label. */
  labelled(given, time = timeNow()) {
    const labels = new Map(this.state.labels), decided = new Map(this.state.decided);
    for (const [row, label] of given) {
      label ? labels.set(row, label) : labels.delete(row);
      decided.set(row, time);
    }
    return { labels, decided };
  }

  /** Set the chosen images aside, or take them back if all of them are. */
  setAside() {
    const { chosen, aside } = this.state, back = [...chosen].every(row => aside.has(row)), next = new Set(aside);
    for (const row of chosen) back ? next.delete(row) : next.add(row);
    this.change({ aside: next, chosen: new Set() });
  }

  /** Forget the images that an earlier run left out, so that the next run takes them in again. */
  bringBack() {
    const { gone, forgotten } = this.state;
    this.change({ gone: [], forgotten: [...forgotten, ...gone.map(([, path]) => path)] });
  }

  /** Note whether an image belongs to a group. */
  judge(group, row, belongs) {
    const looks = new Map(this.state.judged.get(group)).set(row, belongs);
    this.change({ judged: new Map(this.state.judged).set(group, looks) });
  }

  /** Label all images of a group; `facts` are its `images`, `judged`, `belong`, and the interval `low` to `high`. */
  accept(group, label, rows, facts) {
    if (this.state.accepted.has(group)) this.takeBack(group);
    const labels = new Map(this.labels().map(each => [each.path, each.label])), time = timeNow();
    const before = new Map(rows.map(row => [row, labels.get(this.paths[row]) ?? ""]));
    this.change({ ...this.labelled(rows.map(row => [row, label]), time), accepted: new Map(this.state.accepted).set(group, { ...facts, time, before }) });
  }

  /** Take back that a group was accepted: its images have again the labels of before, unless they got another one since. */
  takeBack(group) {
    const accepted = new Map(this.state.accepted), { time, before } = accepted.get(group);
    accepted.delete(group);
    const same = new Set(this.labels().filter(({ decided }) => decided === time).map(({ path }) => path));
    this.change({ ...this.labelled([...before].filter(([row]) => same.has(this.paths[row]))), accepted });
  }

  /** Return the labels given here and those that the run has read: of two for the same image the later one, unless it was removed. */
  labels() {
    const { labels, decided } = this.state, here = [...decided].map(([row, time]) =>
      ({ path: this.paths[row], label: labels.get(row) ?? "", image_id: this.ids[row], decided: time }));
    return latest(here, this.earlier, relocated(this.away, this.earlier)).filter(({ label }) => label);
  }

  /** Return all picks as one table: a row for each image and selection; `label` is empty for an image without a label. */
  csv() {
    const { selections, aside } = this.state, image = row => ({ path: this.paths[row], image_id: this.ids[row], aside: aside.has(row) ? "yes" : "" });
    const rowOf = new Map(this.paths.map((path, row) => [path, row])), of = new Map();
    const pick = ({ path, ...picked }) => of.set(path, { names: [], ...of.get(path), path, ...picked });
    this.labels().forEach(label => pick({ ...label, ...(rowOf.has(label.path) ? image(rowOf.get(label.path)) : {}) }));
    for (const row of aside) pick(image(row));
    for (const [name, rows] of selections) for (const row of rows) pick({ ...image(row), names: [...of.get(this.paths[row])?.names ?? [], name] });
    this.gone.forEach(([image_id, path]) => pick({ path, image_id, aside: "yes" }));
    const placed = ({ path }) => rowOf.get(path) ?? this.ids.length;
    return table("path,label,selection,set_aside,image_id,decided", [...of.values()].sort((a, b) => placed(a) - placed(b)).flatMap(each =>
      (each.names.length ? each.names : [""]).map(name => [each.path, each.label ?? "", name, each.aside ?? "", each.image_id, each.decided ?? ""])));
  }

  /** Return the labels as a table, those of accepted groups with the group and its purity. */
  labelsCsv() {
    const FACTS = ["images", "judged", "belong", "low", "high"], of = new Map();
    for (const [group, { before, ...facts }] of this.state.accepted) for (const row of before.keys()) of.set(this.ids[row], [group, ...FACTS.map(fact => facts[fact])]);
    return table(["path,label,image_id,decided,group", ...FACTS].join(","), this.labels().map(({ path, label, image_id, decided }) =>
      [path, label, image_id, decided ?? "", ...of.get(image_id) ?? Array(FACTS.length + 1).fill("")]));
  }
}
