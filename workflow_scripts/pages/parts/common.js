/** What every page uses: elements by their id and new ones, tables as CSV, and files for the person to keep. */

document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"; // as the person's system

const element = id => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Return names with their counts as nodes; `bdi` keeps the direction of a name's letters from what stands beside it. */
function counted(pairs) {
  return pairs.flatMap(([name, count], i) => [i ? ", " : "", make("bdi", { textContent: name }), ` ${count}`]);
}

/** Return a header and rows of cells as CSV. */
function table(header, rows) {
  const quoted = text => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  return [header, ...rows.map(cells => cells.map(cell => quoted(String(cell))).join(","))].join("\n") + "\n";
}

/** Return the decisions of several lists, one on each image: that of the first list, unless another one is known to be later. */
function latest(...lists) {
  const of = new Map();
  for (const decision of lists.flat()) {
    const key = decision.image_id || decision.path, other = of.get(key);
    if (!other || (other.decided && decision.decided > other.decided)) of.set(key, decision);
  }
  return [...of.values()];
}

const timeNow = () => new Date().toISOString();

/** Download a table as a file of this name. */
function save(csv, name) {
  const link = make("a", { href: URL.createObjectURL(new Blob([csv], { type: "text/csv" })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}
