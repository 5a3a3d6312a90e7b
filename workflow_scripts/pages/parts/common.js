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

/** Return a header and rows of cells as CSV; a text that a spreadsheet would run as a formula gets an apostrophe, as in `spreadsheets.py`. */
function table(header, rows) {
  const harmless = cell => typeof cell === "string" && /^'*[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell);
  const quoted = text => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  return [header, ...rows.map(cells => cells.map(cell => quoted(harmless(cell))).join(","))].join("\n") + "\n";
}

/** Return the decisions of several lists, one on each path: that of the first list, unless another one is known to be later. */
function latest(...lists) {
  const of = new Map();
  for (const decision of lists.flat()) {
    const other = of.get(decision.path);
    if (!other || (other.decided && decision.decided > other.decided)) of.set(decision.path, decision);
  }
  return [...of.values()];
}

/** Return decisions that a browser kept, those on files that were moved since with the paths that the run gives (`known` decisions). */
function relocated(decisions, known) {
  const paths = new Set(known.map(({ path }) => path)), now = new Map(known.map(({ image_id, path }) => [image_id, path]));
  return decisions.map(decision => paths.has(decision.path) ? decision : { ...decision, path: now.get(decision.image_id) ?? decision.path });
}

const timeNow = () => new Date().toISOString();

const MS_OF_A_DOWNLOAD = 60000;

/** Download a table as a file of this name. */
function save(csv, name) {
  const link = make("a", { href: URL.createObjectURL(new Blob([csv], { type: "text/csv" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), MS_OF_A_DOWNLOAD); // at once, a busy browser loses the file
}
