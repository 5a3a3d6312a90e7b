/** The picks of a person: chosen images, named selections, labels, images set aside, judged and accepted groups; each step can be undone. */

const MOST_STEPS = 100;
const NAME = /^[A-Za-z][A-Za-z0-9_.-]*$/;
const FACTS = ["images", "judged", "belong", "low", "high"];
const COLUMNS = ["path", "label", "selection", "set_aside", "image_id", "decided", "decision", "group", ...FACTS];

const mapValues = (map, change) => new Map([...map].map(([key, value]) => [key, change(value, key)]));

class Picks {
  /**
   * The state has decisions in `labels` and `aside`, by path, also on images that are not on the page. Decisions were made in this browser,
   * or were read by the run (`labelsBefore`, `asideBefore`); the later decision on an image counts, and an export has all of them. The
   * browser stores its own decisions under `key`. It stores other picks by the `ids` of the images, so that they stay valid if a run adds
   * images.
   */
  constructor(key, ids, paths, labelsBefore, asideBefore, changed) {
    Object.assign(this, { key, ids, paths, changed, steps: [], before: new Set([...labelsBefore, ...asideBefore]) });
    this.rowOf = new Map(paths.map((path, row) => [path, row]));
    const { labels = [], aside = [], ...picked } = this.stored(), here = paths.map((path, row) => ({ path, image_id: ids[row] }));
    const decisions = (own, read) => new Map(latest(read, relocated(own, [...here, ...read])).map(decision => [decision.path, decision]));
    this.state = { chosen: new Set(), selections: new Map(), judged: new Map(), accepted: new Map(), ...picked,
      labels: decisions(labels, labelsBefore), aside: decisions(aside, asideBefore) };
  }

  labelOf(row) { return this.state.labels.get(this.paths[row])?.label ?? ""; }

  isAside(row) { return this.state.aside.get(this.paths[row])?.set_aside === "yes"; }

  /** Return the labelled rows by label, the rows set aside, and the paths of images set aside that are no longer on the page. */
  summary() {
    const labelled = new Map(), aside = [], gone = [];
    for (const { path, label } of this.state.labels.values()) {
      const row = this.rowOf.get(path);
      if (!label || row === undefined) continue;
      if (!labelled.has(label)) labelled.set(label, []);
      labelled.get(label).push(row);
    }
    for (const { path, set_aside } of this.state.aside.values()) {
      if (set_aside === "yes") this.rowOf.has(path) ? aside.push(this.rowOf.get(path)) : gone.push(path);
    }
    return { labelled, aside, gone };
  }

  /** Return the rows of the paths, without paths that are not on the page. */
  rowsOf(paths) { return [...paths].map(path => this.rowOf.get(path)).filter(row => row !== undefined); }

  /** Return what the browser has stored, with rows in place of ids. */
  stored() {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(this.key)); } catch { /* the browser stores nothing */ }
    if (!kept) return {};
    const rowOf = new Map(this.ids.map((id, row) => [id, row])), known = ([id]) => rowOf.has(id);
    return { ...kept,
      selections: new Map(kept.selections.map(([name, ids]) => [name, new Set(ids.filter(id => rowOf.has(id)).map(id => rowOf.get(id)))])),
      judged: new Map(kept.judged.map(([group, looks]) => [group, new Map(looks.filter(known).map(([id, belongs]) => [rowOf.get(id), belongs]))])),
      accepted: new Map(kept.accepted.map(([group, { before, ...facts }]) => [group, { ...facts, before: new Map(before) }])) };
  }

  keep() {
    const { labels, aside, selections, judged, accepted } = this.state, own = decisions => [...decisions.values()].filter(each => !this.before.has(each));
    const kept = { labels: own(labels), aside: own(aside),
      selections: [...mapValues(selections, rows => [...rows].map(row => this.ids[row]))],
      judged: [...mapValues(judged, looks => [...looks].map(([row, belongs]) => [this.ids[row], belongs]))],
      accepted: [...mapValues(accepted, ({ before, ...facts }) => ({ ...facts, before: [...before] }))] };
    try { localStorage.setItem(this.key, JSON.stringify(kept)); } catch { /* the browser stores nothing: the picks last as long as the page */ }
  }

  change(parts) {
    this.steps = [...this.steps, this.state].slice(-MOST_STEPS);
    this.show({ ...this.state, ...parts });
  }

  undo() {
    if (this.steps.length) this.show(this.steps.pop());
  }

  show(state) {
    this.state = state;
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
    const { selections, chosen } = this.state;
    this.change({ selections: new Map(selections).set(name, new Set([...selections.get(name) ?? [], ...chosen])), chosen: new Set() });
  }

  forget(name) {
    const selections = new Map(this.state.selections);
    selections.delete(name);
    this.change({ selections });
  }

  /** Return the decisions together with new ones, made now, on the images at `paths`; `values(path)` is the content of a decision. */
  decided(decisions, paths, values) {
    const next = new Map(decisions), decided = timeNow();
    for (const path of paths) {
      const image_id = this.ids[this.rowOf.get(path)] ?? next.get(path)?.image_id ?? "";
      next.set(path, { ...values(path), path, image_id, decided });
    }
    return next;
  }

  /** Give the chosen images a label; "" removes the label. */
  label(label) {
    const rows = [...this.state.chosen].filter(row => label || this.labelOf(row));
    this.change({ labels: this.decided(this.state.labels, rows.map(row => this.paths[row]), () => ({ label })), chosen: new Set() });
  }

  /** Set the chosen images aside, or take them back if all of them are. */
  setAside() {
    const rows = [...this.state.chosen], set_aside = rows.every(row => this.isAside(row)) ? "no" : "yes";
    this.change({ aside: this.decided(this.state.aside, rows.map(row => this.paths[row]), () => ({ set_aside })), chosen: new Set() });
  }

  /** Decide for images set aside that are no longer on the page that the next run takes them in again. */
  bringBack() { this.change({ aside: this.decided(this.state.aside, this.summary().gone, () => ({ set_aside: "no" })) }); }

  /** Note whether an image belongs to a group. */
  judge(group, row, belongs) {
    const looks = new Map(this.state.judged.get(group)).set(row, belongs);
    this.change({ judged: new Map(this.state.judged).set(group, looks) });
  }

  /** Accept a group: label its images `rows`. `facts` has the values of `FACTS`, which are numbers of images and the interval's ends. */
  accept(group, label, rows, facts) {
    const { labels, accepted } = this.without(group), paths = rows.map(row => this.paths[row]);
    const before = new Map(paths.map(path => [path, labels.get(path)]));
    this.change({ labels: this.decided(labels, paths, () => ({ label, group })), accepted: accepted.set(group, { ...facts, before }) });
  }

  /** Undo the acceptance of a group. */
  takeBack(group) { this.change(this.without(group)); }

  /**
   * Return the labels and the accepted groups as if one group had not been accepted. Its images get their earlier labels back, unless a
   * person gave them another label since. Groups that were accepted later keep no labels of this group as earlier ones.
   */
  without(group) {
    const { labels } = this.state, accepted = new Map(this.state.accepted), { before } = accepted.get(group) ?? { before: new Map() };
    accepted.delete(group);
    const ofGroup = [...before.keys()].filter(path => labels.get(path)?.group === group);
    const forgets = (label, path) => label?.group === group ? before.get(path) : label;
    return { labels: this.decided(labels, ofGroup, path => ({ label: "", ...before.get(path) })),
      accepted: mapValues(accepted, facts => ({ ...facts, before: mapValues(facts.before, forgets) })) };
  }

  get isEmpty() { return !(this.state.labels.size + this.state.aside.size + this.state.selections.size); }

  /** Return all picks as one table: a row for each decision and for each image of a selection; accepted groups with their purity. */
  csv() {
    const { labels, aside, selections, accepted } = this.state, place = ({ path }) => this.rowOf.get(path) ?? this.paths.length;
    const records = [
      ...[...labels.values()].map(each => ({ ...accepted.get(each.group), ...each, decision: each.label ? "labelled" : REMOVED })),
      ...[...aside.values()].map(each => ({ ...each, decision: each.set_aside === "yes" ? "set aside" : "taken in" })),
      ...[...selections].flatMap(([selection, chosen]) =>
        [...chosen].map(row => ({ path: this.paths[row], image_id: this.ids[row], selection, decision: "selected" })))];
    return table(COLUMNS, records.sort((one, other) => place(one) - place(other)));
  }
}
