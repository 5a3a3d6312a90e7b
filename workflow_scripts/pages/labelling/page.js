const data = JSON.parse(element("data").textContent);
const deciding = new Deciding({ title: `Labelling: ${data.dataset}, ${data.study}`, exports: "labels",
  store: `clustergrid labelling ${data.dataset} ${data.study}`, items: data.items,
  earlier: data.earlier, path: item => data.paths[item.id], marks: { labelled: "✓", skipped: "?" },
  given: () => "", show, note, tell, columns: ["label", "decision"], file: `${data.dataset}_${data.study}_labels.csv` });
const BY_KEY = 9;

/** Return the decisions on the images of the page, with the images. */
const decisions = () => data.items.map(item => [item, deciding.decided(item)]).filter(([, decision]) => decision);

/** Return the labels that images had before, followed by new ones that were given on this page. */
const classes = () => [...new Set([...data.classes, ...decisions().map(([, { label }]) => label).filter(Boolean)])];

const give = label => label && deciding.decide("labelled", { label });
const skip = () => deciding.decide("skipped", { label: "" });

/** Return how many images of a cluster have each label, the most frequent label first. */
function labelsOf(cluster) {
  const counts = new Map(Object.entries(data.clusters[cluster].labels));
  decisions().filter(([item, { label }]) => item.cluster === cluster && label)
    .forEach(([, { label }]) => counts.set(label, (counts.get(label) || 0) + 1));
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function show(item, decision) {
  const names = classes(), path = data.paths[item.id], known = labelsOf(item.cluster);
  Object.assign(element("image"), { src: data.large[item.id], alt: path });
  element("path").textContent = `${deciding.at + 1} of ${data.items.length}: ${path}`;
  element("question").textContent = decision && decision.label ? `Labelled ${decision.label}` :
    `Which label? It is ${item.reason}.`;
  element("choices").replaceChildren(
    ...names.slice(0, BY_KEY).map((name, i) => choice("labelled", i + 1, name, () => give(name), decision && decision.label === name)),
    choice("skipped", "u", "Cannot tell", skip, decision && decision.decision === "skipped"));
  element("classes").replaceChildren(...names.map(name => make("option", { value: name })));
  element("label").value = "";
  element("cluster").textContent = `Cluster ${data.clusters[item.cluster].name}: ${data.clusters[item.cluster].size} images`;
  element("labels").replaceChildren(...known.length ? counted(known) : ["no labels yet"]);
  showNear("near", item.near, data);
}

function note(row, item, decision) { row.children[2].textContent = decision ? decision.label : ""; }

function tell(decided, count) {
  return `${count("labelled")} of ${data.items.length} labelled, ${count("skipped")} skipped; ` +
    `${data.n_labelled} of all ${data.n_images} images had a label before`;
}

element("naming").onsubmit = event => {
  event.preventDefault();
  document.activeElement.blur();
  give(element("label").value.trim());
};
element("help").textContent = "The order in which labels help most: from the cluster with the fewest labels its most typical image " +
  "(TypiClust, Hacohen, Dekel and Weinshall 2022), later images that are typical and far from those labelled before. Press l, type " +
  "a label and press Enter; keys 1 to 9 give a label again, u skips the image, Backspace takes a decision back. Decisions stay in this " +
  "browser; the next run reads the exported CSV with intake: {labels: {corrections: FILE}}, and then asks for the next images. Each " +
  "export has the labels of the earlier ones that a run has read: it replaces them.";
if (!data.items.length) {
  element("question").textContent = "Every image in a cluster has a label.";
  ["naming", "nearest"].forEach(id => { element(id).hidden = true; });
}
deciding.begin(
  (item, i) => make("li", { title: data.paths[item.id] },
    make("span", { className: "rank", textContent: i + 1 }), make("span", { className: "cut", textContent: data.clusters[item.cluster].name }),
    make("span", { className: "cut" }), make("span")),
  { l: () => element("label").focus(), u: skip,
    ...Object.fromEntries([...Array(BY_KEY).keys()].map(i => [i + 1, () => give(classes()[i])])) });
