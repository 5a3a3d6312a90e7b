/** The panel of picks: how many images are chosen, and a line for each selection, label, group of images set aside and accepted group. */

/** Show the panel; `levels` are the labels that an input offers besides those that a person gave. */
function showPicksPanel(picks, levels) {
  const { chosen, selections, accepted } = picks.state, { labelled, aside, gone } = picks.summary();
  const line = (text, rows, forget) => pickedLine(text, rows && (() => picks.choose(rows)), forget);
  element("count").textContent = `${imagesInWords(chosen.size)} chosen`;
  element("how-to-choose").hidden = chosen.size > 0;
  element("picked").replaceChildren(
    ...[...selections].map(([name, rows]) => line(`${name}: ${rows.size}`, rows, () => picks.forget(name))),
    ...[...labelled].map(([label, rows]) => line(`label ${label}: ${rows.length}`, rows)),
    ...(aside.length ? [line(`set aside: ${aside.length}`, aside)] : []),
    ...(gone.length ? [line(`left out before: ${gone.length}`, null, () => picks.bringBack())] : []),
    ...[...accepted].map(([group, { before, low, images: size }]) =>
      line(`accepted ${group}: ${low} or more of ${size}`, picks.rowsOf(before.keys()), () => picks.takeBack(group))));
  element("classes").replaceChildren(...[...new Set([...levels, ...labelled.keys()])].map(value => make("option", { value })));
}

/** Return a line about picked images, with buttons for the functions `choose` and `forget` if they are given. */
function pickedLine(text, choose, forget) {
  const label = `Forget ${text}`;
  return make("div", { className: "row" },
    choose ? make("button", { textContent: text, title: `Choose ${text}`, dir: "auto", onclick: choose }) : text,
    ...(forget ? [make("button", { textContent: "×", title: label, ariaLabel: label, onclick: forget })] : []));
}
