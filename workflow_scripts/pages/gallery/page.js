const data = JSON.parse(element("data").textContent);
const places = { nearest: "Nearest the centre", border: "At the border to the next cluster", farthest: "Farthest from the centre",
  spread: "Spread over the group" };
const DARKEST = 0.6; // of the shade of a cell, on which a number can still be read
let view = "clusters", pair = [0, 1];

const partition = () => data.cells[element("cell").value].partitions[element("k").value];
const about = name => data.paths[name] + (data.labels[name] ? `, labelled ${data.labels[name]}` : "");

/** Return the most frequent class of a cluster; images of other classes get a frame. */
const winner = cluster => cluster.classes[0]?.[0];

function imageButton(name, cluster) {
  const stranger = cluster && data.labels[name] && data.labels[name] !== winner(cluster);
  return make("button", { className: stranger ? "stranger" : "", title: about(name), onclick: () => enlarge(data.thumbnails[name], about(name)) },
    make("img", { src: data.thumbnails[name], alt: about(name) }));
}

function card(cluster) {
  const labelled = cluster.classes, unlabelled = labelled.reduce((rest, [, count]) => rest - count, cluster.size);
  const classes = labelled.length && unlabelled ? [...labelled, ["no label", unlabelled]] : labelled;
  const made = make("section", {}, make("h2", {}, make("bdi", { textContent: cluster.name }), " ", make("span", { className: "mix" },
    imagesInWords(cluster.size), classes.length ? ": " : "", ...counted(classes))));
  const seen = Object.entries(cluster.imagenet).map(([name, share]) => `${name} ${Math.round(100 * share)} %`).join(", ");
  if (seen) made.append(make("p", { className: "mix", textContent: `ImageNet calls this: ${seen}` }));
  for (const [place, title] of Object.entries(places)) {
    if ((cluster[place] || []).length) made.append(make("h3", { textContent: title }),
      make("div", { className: "row" }, ...cluster[place].map(name => imageButton(name, cluster))));
  }
  return made;
}

const showClusters = () => [make("p", { className: "note", textContent: "Distances are those of the clustered points, " +
  "from the mean of the cluster. At the border, the own mean is hardly nearer than the next one. A frame marks an image " +
  "whose label is not the cluster's most frequent one." }), ...partition().clusters.map(card)];

function showTwo() {
  const clusters = partition().clusters;
  pair = pair.map(i => Math.min(i, clusters.length - 1));
  const choose = side => {
    const select = make("select", { id: `side${side}`, ariaLabel: `Cluster on the ${side ? "right" : "left"}` }, ...clusters.map((cluster, i) => make("option",
      { value: i, textContent: cluster.name, selected: i === pair[side] })));
    select.onchange = () => { pair[side] = Number(select.value); show(); };
    return make("div", {}, make("p", {}, select), card(clusters[pair[side]]));
  };
  const between = partition().twins.filter(twins => pair[0] !== pair[1] && pair.every(i => twins.clusters.includes(i)));
  return [make("div", { className: "two" }, choose(0), choose(1)),
    ...(between.length ? [make("h2", { textContent: "Near-twins between them" }), twinCards(between)] : [])];
}

function showClasses() {
  const clusters = partition().clusters;
  const counts = clusters.map(cluster => new Map(cluster.classes)), classes = [...new Set(counts.flatMap(each => [...each.keys()]))].sort();
  if (!classes.length) return [make("p", { className: "note", textContent: "No labels: there are no classes to compare with." })];
  const totals = new Map(classes.map(name => [name, counts.reduce((sum, each) => sum + (each.get(name) || 0), 0)]));
  const cell = (name, each) => {
    const count = each.get(name) || 0, share = count / totals.get(name);
    const made = make("td", { className: "count", textContent: count || "", title: `${Math.round(100 * share)} % of ${name}` });
    made.style.background = `rgb(31 111 178 / ${DARKEST * share})`;
    return made;
  };
  return [make("p", { className: "note", textContent: "Images of each class (rows) in each cluster (columns); the shade is the share " +
      "of the class." }), make("section", {}, make("table", {},
    make("thead", {}, make("tr", {}, make("th"), ...clusters.map(item => make("th", { textContent: item.name })), make("th", { textContent: "all" }))),
    make("tbody", {}, ...classes.map(name => make("tr", {}, make("th", { textContent: name }), ...counts.map(each => cell(name, each)),
      make("td", { textContent: totals.get(name) }))))))];
}

function twinCards(twins) {
  return make("div", { className: "twins" }, ...twins.map(item => make("section", {},
    make("div", { className: "row" }, ...item.pair.map(name => imageButton(name))),
    make("div", { textContent: item.clusters.map(i => partition().clusters[i].name).join(" | ") }),
    make("div", { className: "mix", textContent: `${item.pair.map(about).join(" | ")}; closer than ${(100 * item.closer_than).toFixed(1)} % ` +
      "of images are to their nearest" }))));
}

function showTwins() {
  const twins = partition().twins;
  return [make("p", { className: "note", textContent: twins.length ? "An image and its nearest neighbour that are in different clusters, the " +
    "closest pairs first." : "Every image is in the same cluster as its nearest neighbour." }), twinCards(twins)];
}

const views = { clusters: ["Clusters", showClusters], two: ["Two side by side", showTwo], classes: ["Classes × clusters", showClasses],
  twins: ["Separated near-twins", showTwins] };

function show() {
  [...element("views").children].forEach(button => button.setAttribute("aria-pressed", button.id === view));
  element("main").replaceChildren(...views[view][1]());
}

function fillK() {
  const partitions = data.cells[element("cell").value].partitions;
  element("k").replaceChildren(...partitions.map((item, i) => make("option", { value: i,
    textContent: item.k ?? item.clusters.filter(cluster => !cluster.spread).length })));
}

element("title").textContent = document.title = `Gallery: ${data.dataset}, ${data.study}`;
element("cell").append(...data.cells.map((cell, i) => make("option", { value: i, textContent: cell.name })));
element("cell").onchange = () => { fillK(); show(); };
element("k").onchange = show;
Object.entries(views).forEach(([id, [text]]) => element("views").append(make("button",
  { id, textContent: text, onclick: () => { view = id; show(); } })));
fillK();
show();
