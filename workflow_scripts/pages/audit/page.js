const data = JSON.parse(element("data").textContent);
const percent = share => share === null ? "none" : `${Math.round(100 * share)} %`;
const deciding = new Deciding({ title: `Label audit: ${data.dataset}, ${data.study}`, exports: "decisions",
  store: `clustergrid audit ${data.dataset} ${data.study}`, items: data.items,
  earlier: data.earlier, path: item => data.paths[item.id], marks: { keep: "✓", relabel: "→", unsure: "?" },
  given: item => item.label, show, tell, columns: ["label", "was", "decision"], file: `${data.dataset}_${data.study}_decisions.csv` });

const decide = (decision, label) => deciding.decide(decision, { label });
const keep = () => decide("keep", deciding.item.label);
const relabel = () => decide("relabel", deciding.item.suggested);
const unsure = () => decide("unsure", deciding.item.label);
const labelled = name => name === deciding.item.label ? keep() : decide("relabel", name);

function showChoices(item, decision) {
  const is = kind => decision && decision.decision === kind, others = make("select", { id: "classes", ariaLabel: "Another class" });
  const free = is("relabel") && decision.label !== item.suggested;
  others.append(make("option", { value: "", textContent: "another class …" }));
  data.classes.forEach((name, i) => others.append(make("option",
    { value: name, textContent: i < 9 ? `${i + 1}  ${name}` : name, selected: free && name === decision.label })));
  const take = () => others.value && labelled(others.value);
  let byKeys = false; // arrows and letters go through the classes, and Enter takes one
  Object.assign(others, { onkeydown: event => { byKeys = event.key !== "Enter"; if (!byKeys) take(); }, onpointerdown: () => { byKeys = false; },
    onchange: () => byKeys || take() });
  element("choices").replaceChildren(
    choice("keep", "k", `Keep ${item.label}`, keep, is("keep")),
    choice("relabel", "r", `Relabel as ${item.suggested}`, relabel, is("relabel") && !free),
    choice("unsure", "u", "Unsure", unsure, is("unsure")), others);
}

function evidence(text, share, against) {
  const bar = make("div", { className: "bar" }, make("i", { className: against ? "against" : "" }));
  bar.firstChild.style.width = `${100 * (share ?? 0)}%`;
  return make("tr", {}, make("td", { textContent: text }), make("td", {}, bar),
    make("td", { className: "number", textContent: percent(share) }));
}

function show(item, decision) {
  element("image").src = data.large[item.id];
  element("image").alt = `${data.paths[item.id]}, labelled ${item.label}`;
  element("path").textContent = `${item.rank} of ${data.n_labelled}: ${data.paths[item.id]}`;
  element("question").replaceChildren("Labelled ", make("span", { className: "own", textContent: item.label }),
    item.suspect ? ", suggested " : ", if not that, ", make("span", { className: "other", textContent: item.suggested }));
  showChoices(item, decision);
  element("evidence").replaceChildren(
    evidence(`of its ${data.neighbours} nearest images have its label`, item.neighbour_share),
    evidence(`of its cluster (${item.cluster}) have its label`, item.cluster_share),
    evidence(`of ${data.repeats} repeats: another class wins in its cluster`, item.repeats_against, true),
    evidence("confidence in its label", item.confidence));
  element("own-name").textContent = item.label;
  element("other-name").textContent = item.suggested;
  showNear("own", item.own, data);
  showNear("other", item.other, data);
}

function tell(decided, count) {
  return `${decided} of ${data.items.length} decided: ${count("keep")} kept, ` +
    `${count("relabel")} relabelled, ${count("unsure")} unsure`;
}

element("help").textContent = `The images whose label has the least support come first: ${data.items.length} of ${data.n_labelled}. ` +
  `Confident learning estimates that ${data.n_suspect} labels are wrong (those above the line in the list). Keys 1 to 9 relabel as the ` +
  "class of that number, Backspace takes a decision back. Decisions stay in this browser; the next run reads the exported CSV with " +
  "intake: {labels: {corrections: FILE}}. Each export has the decisions of the earlier ones that a run has read: it replaces them." +
  (data.n_too_few ? ` ${data.n_too_few} images of classes that are too small to judge are not shown; they end the table.` : "");
deciding.begin(
  (item, i) => make("li", { className: item.suspect && !(data.items[i + 1] || {}).suspect ? "line" : "" },
    make("span", { className: "rank", textContent: item.rank }),
    make("span", {}, make("b", { textContent: item.label }), make("span", { className: "arrow", textContent: ` → ${item.suggested}` })),
    make("span")),
  { k: keep, r: relabel, u: unsure, ...Object.fromEntries(data.classes.slice(0, 9).map((name, i) => [i + 1, () => labelled(name)])) });
