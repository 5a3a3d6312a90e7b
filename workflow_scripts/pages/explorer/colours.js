/** The colours of images: one for each group of a column, or one for each step between its numbers. */

const BASIC = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7040d0"]; // Okabe and Ito 2008, violet for yellow
const RAMP = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"]; // viridis
const NOTHING = "#9a9a9a";

const channels = hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));

function mix(colour, other, share) {
  const [parts, others] = [colour, other].map(channels);
  return "#" + parts.map((part, i) => Math.round(part * (1 - share) + others[i] * share).toString(16).padStart(2, "0")).join("");
}

/** Return the colour of a slot: first seven colours that colour-blind persons can distinguish, then lighter and darker shades. */
function colourOf(slot) {
  const basic = BASIC[slot % BASIC.length], round = Math.floor(slot / BASIC.length) % 3;
  return round === 0 ? basic : mix(basic, round === 1 ? "#ffffff" : "#000000", 0.45);
}

/** Return a colour as one number, as the pixels of a canvas have it (ABGR). */
function packed(hex) {
  const [red, green, blue] = channels(hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex);
  return (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
}

/** Return the colouring by a column of numbers: at most eight steps, with about the same number of images in each. */
function inSteps(column) {
  const sorted = column.values.filter(value => !Number.isNaN(value)).sort();
  const cuts = [...new Set(Array.from({ length: RAMP.length }, (_, i) => sorted[Math.floor(i * sorted.length / RAMP.length)]))];
  const codes = Uint16Array.from(column.values, value => Number.isNaN(value) ? 0 : cuts.filter(cut => cut <= value).length);
  const shown = value => String(Number(value.toPrecision(3))), last = sorted[sorted.length - 1];
  return { column, codes, levels: cuts.map((cut, i) => `${shown(cut)} to ${shown(cuts[i + 1] ?? last)}`),
    colours: cuts.map((_, i) => RAMP[Math.round(i * (RAMP.length - 1) / Math.max(1, cuts.length - 1))]) };
}

/** Return the colouring by a column of groups. `kept` is a Map from codes to slots of colours; other codes get the first free slots. */
function inGroups(column, kept) {
  const used = new Set(kept.values()), free = () => { let slot = 0; while (used.has(slot)) slot++; used.add(slot); return slot; };
  const slots = [null, ...column.levels.map((_, i) => kept.get(i + 1) ?? free())];
  return { column, codes: column.values, levels: column.levels, slots,
    colours: column.levels.map((_, i) => i + 1 === column.noise ? NOTHING : colourOf(slots[i + 1])) };
}
