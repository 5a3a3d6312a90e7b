/**
 * Gestures on the map. Dragging with the mouse or with one finger moves the map, turns it or draws a shape. Two fingers move and zoom the
 * map. A tap goes to an image.
 */

const DRAWS = ["lasso", "rectangle"], TURN = 0.005, TAP = 4; // radians a pixel; pixels within which a press is a tap

class Gestures {
  /**
   * `mode` says what dragging does: "pan", "turn", "lasso" or "rectangle". `onTap(row, event)`, `onDrawn(rows, event)` and `onHover(row)`
   * are called with the image, or the images, of a gesture; `row` is null if there is no image.
   */
  constructor(scatter, handlers) {
    Object.assign(this, { scatter, mode: "pan", fingers: new Map(), waiting: null }, handlers);
    const listen = (name, act) => scatter.canvas.addEventListener(name, act, { passive: false });
    listen("pointerdown", event => this.begin(event));
    listen("pointermove", event => this.fingers.has(event.pointerId) ? this.move(event) : this.hover(event));
    listen("pointerup", event => this.end(event));
    listen("pointercancel", event => this.end(event));
    listen("wheel", event => this.wheel(event));
  }

  /** Return the position of an event in pixels of the canvas. */
  at(event) {
    const box = this.scatter.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.scatter.ratio, (event.clientY - box.top) * this.scatter.ratio];
  }

  begin(event) {
    const start = this.at(event);
    this.scatter.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, start);
    this.start = start;
    this.isTap = this.isSingle = this.fingers.size === 1;
    this.shape(this.isSingle && DRAWS.includes(this.mode) ? [start] : []);
  }

  move(event) {
    const before = [...this.fingers.values()], from = this.fingers.get(event.pointerId), to = this.at(event);
    this.fingers.set(event.pointerId, to);
    if (this.isSingle) this.drag(from, to);
    else if (this.fingers.size === 2) this.pinch(before, [...this.fingers.values()]);
  }

  end(event) {
    this.fingers.delete(event.pointerId);
    if (this.isSingle && event.type === "pointerup") {
      if (this.isTap) this.onTap(this.scatter.rowAt(...this.start), event);
      else if (DRAWS.includes(this.mode)) this.onDrawn(this.scatter.rowsInShape(), event);
    }
    this.shape([]);
  }

  drag(from, to) {
    const { scatter, mode, start } = this, [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    this.isTap &&= Math.hypot(to[0] - start[0], to[1] - start[1]) <= TAP;
    if (mode === "pan") scatter.pan(dx, dy);
    else if (mode === "turn") scatter.turn(TURN * dx, TURN * dy);
    else this.shape(mode === "lasso" ? [...scatter.shape, to] : [start, [to[0], start[1]], to, [start[0], to[1]]]);
  }

  pinch(before, after) {
    const middle = ([one, other]) => [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
    const apart = ([one, other]) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
    const [x, y] = middle(before), [left, top] = middle(after);
    this.scatter.pan(left - x, top - y);
    this.scatter.zoom(apart(after) / apart(before), left, top);
  }

  wheel(event) {
    event.preventDefault();
    this.scatter.zoom(Math.exp(-Math.max(-200, Math.min(200, event.deltaY)) / 300), ...this.at(event));
  }

  /** Call `onHover` with the image under the mouse, at most once a frame. */
  hover(event) {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.onHover(this.scatter.rowAt(...this.at(event)));
    });
  }

  shape(points) {
    this.scatter.shape = points;
    this.scatter.draw();
  }
}
