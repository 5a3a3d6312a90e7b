/** Decisions on images one after another, by key. They stay in the browser until they are exported. */

class Deciding {
  /**
   * `title` is the title of the page, and `exports` a word for what is exported. `given(item)` is the text that is decided
   * on; a decision on another text does not count. `earlier` are the decisions that the run has read from tables, and
   * `path(item)` is the path of an image. `marks` has the sign of each kind of decision in the list. `show(item, decision)`
   * shows an image. `tell(decided, count)` returns a text with the number of all decisions and of those of each kind.
   * `note(row, item, decision)` fills the other cells of a row of the list, if it is given. `columns` are the columns of
   * the table to download besides image and time, and `file` is its name.
   */
  constructor(facts) {
    Object.assign(this, facts, { at: 0, decisions: {}, earlierOf: new Map(facts.earlier.map(decision => [decision.path, decision])) });
    try { this.decisions = JSON.parse(localStorage.getItem(this.store)) || {}; } catch { /* the browser stores nothing */ }
  }

  get item() { return this.items[this.at]; }

  /** Return the decision on an image, or null if there is none, or if it was taken back. */
  decided(item) {
    const last = this.last(item);
    return !last || last.decision === REMOVED ? null : last;
  }

  /** Return the decision on an image that counts: that of this page or that of the run, whichever is later. */
  last(item) {
    const path = this.path(item), decision = this.decisions[item.id], earlier = this.earlierOf.get(path);
    const here = decision && decision.was === this.given(item) ? [{ ...decision, path, image_id: item.id }] : [];
    const read = earlier?.decision === REMOVED ? [earlier] : earlier && earlier.label === this.given(item) ? [{ ...earlier, decision: "keep" }] : [];
    return latest(read, here)[0];
  }

  decide(decision, values) {
    this.keep(decision, values);
    this.go(this.at + 1);
  }

  /** Take the decision on the current image back, also one that a run has read. */
  takeBack() {
    if (!this.decided(this.item) && !this.earlierOf.has(this.path(this.item))) return;
    this.keep(REMOVED);
    this.go(this.at);
  }

  keep(decision, values) {
    this.decisions[this.item.id] = { decision, ...values, was: this.given(this.item), path: this.path(this.item), image_id: this.item.id, decided: timeNow() };
    try { localStorage.setItem(this.store, JSON.stringify(this.decisions)); } catch { /* they last until the page is closed */ }
  }

  go(to) {
    const before = this.at;
    this.at = Math.max(0, Math.min(this.items.length - 1, to));
    this.show(this.item, this.decided(this.item));
    this.mark(before);
    this.mark(this.at);
    const list = element("list"), row = list.children[this.at], down = row.offsetTop + row.offsetHeight - list.clientHeight;
    list.scrollTop = Math.min(row.offsetTop, Math.max(list.scrollTop, down)); // the page itself does not scroll, also on a phone
    const kinds = this.items.map(item => this.decided(item)).filter(Boolean).map(decision => decision.decision);
    element("progress").max = this.items.length;
    element("progress").value = kinds.length;
    element("counts").textContent = this.tell(kinds.length, kind => kinds.filter(other => other === kind).length);
  }

  /**
   * Return all decisions as a table for intake: those on this page, those that the run has read, and those that the browser keeps of
   * images that are no longer on the page, also decisions that were taken back. So no export loses the decisions of an earlier one.
   */
  csv() {
    const here = this.items.map(item => this.last(item)).filter(Boolean), onPage = new Set(this.items.map(item => item.id));
    const elsewhere = relocated(Object.values(this.decisions).filter(decision => decision.path && !onPage.has(decision.image_id)), this.earlier);
    const decides = decision => decision.label !== "";
    return table(["path", ...this.columns, "image_id", "decided"], latest(elsewhere.filter(decides), this.earlier, here.filter(decides)));
  }

  /** Show the decision on an image in its row of the list, and whether it is the current image. */
  mark(i) {
    const row = element("list").children[i], decision = this.decided(this.items[i]);
    row.setAttribute("aria-current", i === this.at);
    row.lastChild.textContent = decision ? this.marks[decision.decision] : "";
    row.lastChild.className = decision ? decision.decision : "";
    this.note?.(row, this.items[i], decision);
  }

  goToUndecided() {
    const open = item => !this.decided(item), after = this.items.findIndex((item, i) => i > this.at && open(item));
    this.go(after >= 0 ? after : Math.max(0, this.items.findIndex(open)));
  }

  /** Write the title, the progress and the buttons into the page. */
  furnish() {
    document.title = this.title;
    element("header").append(make("h1", { textContent: this.title }), make("span", { id: "counts", ariaLive: "polite" }),
      make("progress", { id: "progress", value: 0 }),
      button({ id: "export", title: `Download the ${this.exports} as a CSV` }, `Export ${this.exports}`, "e"));
    element("moves").append(button({ id: "previous" }, "Previous", "p"), button({ id: "next" }, "Next", "n"),
      button({ id: "undecided" }, "Next undecided", "space"));
  }

  /** Fill the page and its list of images, listen to keys and buttons, and show the first image without a decision. */
  begin(row, keys) {
    this.furnish();
    const download = () => save(this.csv(), this.file);
    element("export").onclick = download;
    if (!this.items.length) {
      element("moves").hidden = element("progress").hidden = true;
      return;
    }
    const next = () => this.go(this.at + 1), previous = () => this.go(this.at - 1), undecided = () => this.goToUndecided();
    const acts = { n: next, ArrowRight: next, ArrowDown: next, p: previous, ArrowLeft: previous, ArrowUp: previous, " ": undecided,
      Backspace: () => this.takeBack(), Home: () => this.go(0), End: () => this.go(this.items.length - 1), e: download, ...keys };
    document.addEventListener("keydown", event => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^(INPUT|SELECT)$/.test(event.target.tagName)) {
        if (event.key === "Escape") event.target.blur();
        return;
      }
      if (event.target.tagName === "BUTTON" && [" ", "Enter"].includes(event.key)) return; // presses the button that has the focus
      const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (act) { event.preventDefault(); act(); }
    });
    document.addEventListener("click", event => event.detail && event.target.closest("button")?.blur()); // after the mouse, Space is a key of the page again
    Object.entries({ next, previous, undecided }).forEach(([id, act]) => { element(id).onclick = act; });
    element("list").append(...this.items.map((item, i) => Object.assign(row(item, i), { onclick: () => this.go(i) })));
    this.items.forEach((_, i) => this.mark(i));
    this.go(Math.max(0, this.items.findIndex(item => !this.decided(item))));
  }
}

/** Return a button with its key. */
function button(properties, text, key) {
  return make("button", properties, make("bdi", { textContent: text }), " ", make("kbd", { textContent: key }));
}

/** Return the button of a decision, with its key. */
function choice(kind, key, text, act, chosen) {
  return button({ className: `${kind} ${chosen ? "chosen" : ""}`, onclick: act }, text, key);
}

/** Show images with their names in the element `id`; `data` has their `small` images and their `paths`. */
function showNear(id, images, data) {
  element(id).replaceChildren(...images.map(image => make("figure", { title: data.paths[image] },
    make("img", { src: data.small[image], alt: data.paths[image] }),
    make("figcaption", { textContent: data.paths[image].split("/").pop() }))));
}
