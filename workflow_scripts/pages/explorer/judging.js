/** Judge the images of a group one after the other, and label the whole group once it is good enough. */

const WIDTH = 0.1; // an interval of a group's purity is narrow enough if it is no wider than WIDTH
let judging = null;

/** Begin to judge the group of the current image, or go on to the next group. */
function judge() {
  const last = colour.levels.length;
  const shown = scatter.states[scatter.at] >= PLAIN ? scatter.at : scatter.states.findIndex((state, row) => state >= PLAIN && colour.codes[row]);
  const code = judging?.column === colour.column ? judging.code % last + 1 : colour.codes[shown] || 1;
  const rows = [...colour.codes.keys()].filter(row => colour.codes[row] === code), name = colour.levels[code - 1];
  const group = `${titleOf(colour.column)}: ${name}`;
  const seed = [...group].reduce((hash, letter) => Math.imul(hash ^ letter.codePointAt(0), 16777619), 2166136261);
  judging = { column: colour.column, code, name, group, order: drawnOrder(rows, seed) };
  element("accepted").value = colour.column.predicted ? colour.column.predicted[code - 1] ?? "" : name;
  goOnJudging();
}

/** Return how many images were judged and belong, and the exact interval of how many of all do. */
function judged() {
  const { order, group } = judging, looks = picks.state.judged.get(group) ?? new Map();
  const belong = order.filter(row => looks.get(row)).length, all = order.filter(row => looks.has(row)).length;
  const [low, high] = countInterval(order.length, all, belong);
  return { looks, facts: { images: order.length, judged: all, belong, low, high } };
}

/** Return how many images of the group have to belong, and how many more to judge until it is sure that they do. */
function wanted({ images: size, judged: all, belong }) {
  const least = Math.max(1, Math.ceil(size * element("purity").value / 100 - 1e-9));
  return { least, more: looksToAccept(size, all, belong, least) };
}

function goOnJudging() {
  element("judging").hidden = !judging;
  element("judging").parentElement.classList.toggle("judges", judging !== null);
  if (!judging) return;
  const { order, name } = judging, { looks, facts } = judged(), { images: size, judged: all, belong, low, high } = facts;
  const narrower = looksToWidth(size, all, belong, WIDTH), { least, more } = wanted(facts);
  const percent = count => `${Math.round(100 * count / size)} %`;
  judging.row = order.find(row => !looks.has(row));
  element("judged-title").textContent = `Does it belong to ${name}?`;
  element("judged-so-far").textContent = `${belong} of ${all} belong, so with 95 % confidence ${low} to ${high} of all ${size} ` +
    `(${percent(low)} to ${percent(high)}). ` + (narrower ? `Judge ${narrower} more images to make this interval ${percent(WIDTH * size)} wide.` : "This is exact enough.");
  element("good-enough").textContent = more === null ? `Not good enough: fewer than ${least} of ${size} belong.`
    : more ? `Good enough after ${more} more, if all of them belong.` : "Good enough: c labels all its images but the wrong ones.";
  if (judging.row !== undefined) look(judging.row);
}

function answer(belongs) {
  if (judging?.row === undefined) return;
  picks.judge(judging.group, judging.row, belongs);
  goOnJudging();
}

function stopJudging() { judging = null; goOnJudging(); }

/** Label all images of the group but the wrong ones, and export the labels of all accepted groups. */
function acceptGroup(event) {
  event.preventDefault();
  const label = element("accepted").value.trim(), { looks, facts } = judged();
  if (!label) return say("Type the label of the group first.");
  if (wanted(facts).more !== 0) return say(element("good-enough").textContent);
  picks.accept(judging.group, label, judging.order.filter(row => looks.get(row) !== false), facts);
  download(picks.labelsCsv(), "accepted", ["intake:", `  labels: {corrections: ${fileOf("accepted")}}`]);
  element("map").focus();
}
