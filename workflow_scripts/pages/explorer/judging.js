/** Judge the images of a group one after the other, and label the whole group once it is good enough. */

const WIDTH = 0.1; // an interval of a group's purity is narrow enough if it is no wider than WIDTH
let judging = null;

/** Begin to judge the group of the current image, or go on to the next group. */
function judge() {
  const { column, codes, levels } = view.colour, current = scatter.states[scatter.at] >= PLAIN ? scatter.at : shownRows().find(row => codes[row]);
  const code = judging?.column === column ? judging.code % levels.length + 1 : codes[current] || 1, name = levels[code - 1];
  const group = `${titleOf(column)}: ${name}`, rows = [...codes.keys()].filter(row => codes[row] === code);
  judging = { column, code, name, group, order: drawnOrder(rows, seedOf(group)) };
  element("accepted").value = column.predicted ? column.predicted[code - 1] ?? "" : name;
  goOnJudging();
}

/** Return a seed that depends on a text alone (FNV-1a). */
const seedOf = text => [...text].reduce((hash, letter) => Math.imul(hash ^ letter.codePointAt(0), 16777619), 2166136261);

/** Return the images that were judged, and how many of them belong, with the exact interval of how many of all do. */
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

/** Show the next image of the group, and what is known of the group. */
function goOnJudging() {
  element("judging").hidden = !judging;
  element("judging").parentElement.classList.toggle("judges", judging !== null);
  if (!judging) return;
  const { looks, facts } = judged();
  judging.row = judging.order.find(row => !looks.has(row));
  element("judged-title").textContent = `Does it belong to ${judging.name}?`;
  element("judged-so-far").textContent = purityInWords(facts);
  element("good-enough").textContent = enoughInWords(facts);
  if (judging.row !== undefined) look(judging.row);
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

function answer(belongs) {
  if (judging?.row === undefined) return;
  picks.judge(judging.group, judging.row, belongs);
  goOnJudging();
}

function stopJudging() {
  judging = null;
  goOnJudging();
}

/** Label all images of the group but the wrong ones. */
function acceptGroup(label) {
  const { looks, facts } = judged();
  if (!label) return refuse("Type the label of the group first.", "accepted");
  if (wanted(facts).more !== 0) return refuse(element("good-enough").textContent, "accepted");
  const rows = judging.order.filter(row => looks.get(row) !== false);
  picks.accept(judging.group, label, rows, facts);
  say(`${images(rows.length)} labelled ${label}. Export (e) writes the table for the next run.`);
}
