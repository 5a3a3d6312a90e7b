/** Choose the image to label next, and estimate the purity of a group from the images that a person has judged. */

const TYPICAL_OF = 20, MOST_COMPARED = 500;

function squaredDistance(points, row, other) {
  const { d, values } = points;
  let distance = 0;
  for (let i = 0, a = row * d, b = other * d; i < d; i++) distance += (values[a + i] - values[b + i]) ** 2;
  return distance;
}

/** Return how typical each row is: 1 / (mean distance to its nearest rows). Many rows are compared with a sample of them only. */
function typicality(points, rows) {
  const step = Math.max(1, rows.length / MOST_COMPARED), others = [];
  for (let at = 0; at < rows.length; at += step) others.push(rows[Math.floor(at)]);
  return rows.map(row => {
    const near = [];
    for (const other of others) if (other !== row) near.push(squaredDistance(points, row, other));
    near.sort((a, b) => a - b).length = Math.min(near.length, TYPICAL_OF);
    return near.length / (near.reduce((sum, distance) => sum + Math.sqrt(distance), 0) || 1);
  });
}

/**
 * Return the `count` rows to label next. Each comes from the group with the fewest labels: its most typical image if it has no
 * label yet (TypiClust, Hacohen, Dekel and Weinshall 2022), otherwise an image that is typical and far from the labelled ones.
 * `codes` are the groups, 0 for none; `labelled(row)` tells whether a row has a label.
 */
function labelNext(points, codes, labelled, count) {
  const groups = new Map();
  codes.forEach((code, row) => code && (groups.get(code) || groups.set(code, []).get(code)).push(row));
  const queue = [...groups.values()].map(rows => {
    const typical = typicality(points, rows), far = new Float64Array(rows.length).fill(Infinity);
    const cover = row => rows.forEach((other, i) => { far[i] = Math.min(far[i], Math.sqrt(squaredDistance(points, row, other))); });
    const known = rows.filter(labelled);
    known.forEach(cover);
    return { rows, typical, far, cover, known: known.length, free: rows.map(row => !labelled(row)) };
  });
  const next = [];
  while (next.length < count) {
    const group = queue.filter(each => each.free.includes(true)).sort((a, b) => a.known - b.known || b.rows.length - a.rows.length)[0];
    if (!group) break;
    const worth = i => group.free[i] ? group.typical[i] * (group.known ? group.far[i] : 1) : -1;
    const best = group.rows.reduce((first, _, i) => worth(i) > worth(first) ? i : first, group.free.indexOf(true));
    next.push(group.rows[best]);
    group.free[best] = false;
    group.known++;
    group.cover(group.rows[best]);
  }
  return next;
}

/** Return the logarithms of 0! to n!. */
function logFactorials(n) {
  const logs = new Float64Array(n + 1);
  for (let i = 2; i <= n; i++) logs[i] = logs[i - 1] + Math.log(i);
  return logs;
}

/**
 * Return the exact interval [low, high] of the number of right images among `size`, if `looks` of them were drawn without replacement
 * and `right` of these are right. It has all numbers that neither one-sided test of the hypergeometric distribution rejects
 * (Buonaccorsi 1987).
 */
function countInterval(size, looks, right, confidence = 0.95) {
  const logs = logFactorials(size), choose = (n, k) => logs[n] - logs[k] - logs[n - k], half = (1 - confidence) / 2 * (1 - 1e-9); // the factor keeps ties that differ in the last bits
  const chance = (good, hits) => hits < 0 || hits > good || looks - hits > size - good ? 0
    : Math.exp(choose(good, hits) + choose(size - good, looks - hits) - choose(size, looks));
  const tail = (good, from, to) => { let sum = 0; for (let hits = from; hits <= to; hits++) sum += chance(good, hits); return sum; };
  const first = (low, high, holds) => { while (low < high) { const middle = (low + high) >> 1; holds(middle) ? high = middle : low = middle + 1; } return low; };
  const least = right, most = size - (looks - right);
  const low = first(least, most, good => tail(good, right, looks) > half);
  const high = first(least, most + 1, good => tail(good, 0, right) <= half) - 1;
  return [low, high];
}

/** Return how many more images must be judged until the interval is at most `width` wide, if the share of right ones stays the same. */
function looksToWidth(size, looks, right, width, confidence = 0.95) {
  const wide = all => {
    const [low, high] = countInterval(size, all, Math.round(looks ? all * right / looks : all), confidence);
    return (high - low) / size > width;
  };
  let all = looks;
  while (all < size && wide(all)) all++;
  return all - looks;
}

/**
 * Return the evidence that at least `least` of `size` images are right. It is a ratio of two probabilities of the judged images: if all
 * numbers of right images from `least` on are equally probable, and if `least` - 1 images are right. If fewer than `least` are right, the
 * evidence ever reaches 20 with a probability of at most 1 / 20 (Ville 1939), however often one looks.
 */
function evidence(size, looks, right, least, logs = logFactorials(size)) {
  const wrong = looks - right, choose = (n, k) => k > n ? -Infinity : logs[n] - logs[k] - logs[n - k];
  const likelihood = good => choose(good, right) + choose(size - good, wrong), without = likelihood(least - 1);
  if (right >= least) return Infinity;
  if (wrong > size - least) return 0;
  let sum = 0;
  for (let good = least; good <= size; good++) sum += Math.exp(likelihood(good) - without);
  return sum / (size - least + 1);
}

/** Return how many more images must be judged until a group is good enough, if all of them are right; null if it cannot become so. */
function looksToAccept(size, looks, right, least, errors = 0.05) {
  if (looks - right > size - least) return null;
  const logs = logFactorials(size);
  let more = 0;
  while (evidence(size, looks + more, right + more, least, logs) < 1 / errors) more++;
  return more;
}

/** Shuffle rows by a seed; the order is the same on every machine (mulberry32). */
function drawnOrder(rows, seed) {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296;
  };
  const order = [...rows];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
