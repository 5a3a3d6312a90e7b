/** Functions that every page uses: to find and make elements, to write counts in words, and to write and download tables. */

document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"; // as the person's system

const element = id => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Return a number of images in words. */
const imagesInWords = count => `${count} ${count === 1 ? "image" : "images"}`;

/** Return names with their counts as nodes; `bdi` keeps names that are written from right to left apart from the text beside them. */
function counted(pairs) {
  return pairs.flatMap(([name, count], i) => [i ? ", " : "", make("bdi", { textContent: name }), ` ${count}`]);
}

/**
 * Return records as CSV with these columns; a cell is empty if its record has no value. A text that a spreadsheet would run as a formula
 * gets an apostrophe, as in `spreadsheets.py`.
 */
function table(columns, records) {
  const harmless = cell => typeof cell === "string" && /^'*[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell);
  const quoted = text => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const line = cells => cells.map(cell => quoted(harmless(cell))).join(",");
  return [columns, ...records.map(record => columns.map(name => record[name] ?? ""))].map(line).join("\n") + "\n";
}

const REMOVED = "removed"; // the decision that takes an earlier one back

/** Return for each path in several lists the decision that counts: the last one, unless its time is earlier, as in `label_table.py`. */
function latest(...lists) {
  const byPath = new Map();
  for (const decision of lists.flat()) {
    const before = byPath.get(decision.path), isOlder = before && decision.decided && decision.decided < before.decided;
    if (!isOlder) byPath.set(decision.path, decision);
  }
  return [...byPath.values()];
}

/** Return decisions that a browser kept. If a file was moved since, its decision gets the new path, which is that in `known` decisions. */
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
