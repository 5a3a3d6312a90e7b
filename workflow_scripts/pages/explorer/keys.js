/** The keys of the page, the buttons that do the same, and the dialog that lists them. */

const KEY_NAMES = { " ": "Space", ArrowLeft: "Arrows", Escape: "Esc" };

/** Focus an input and select its text, so that typing replaces it. */
function typeInto(id) {
  element(id).focus();
  element(id).select();
}

/** Choose the option of a select that is `by` places after the chosen one. */
function chooseNeighbour(id, by) {
  const select = element(id), count = select.options.length;
  if (!count) return;
  select.selectedIndex = (select.selectedIndex + by + count) % count;
  select.onchange();
}

/**
 * Connect keys and buttons with functions. Each action has a key, the ids of the buttons that do the same, a text for the dialog, the
 * function, and perhaps another function for the key with Shift. Escape in an input moves the focus to the `map`.
 */
function listenToKeys(actions, map) {
  const functions = new Map(actions.map(([key, , , act, shifted]) => [key, { act, shifted: shifted ?? act }]));
  for (const [, ids, , act] of actions) for (const id of ids.split(" ").filter(Boolean)) element(id).onclick = () => act();
  element("close-keys").onclick = () => element("keys").close();
  element("key-list").append(...actions.filter(([, , text]) => text).map(([key, , text]) =>
    make("tr", {}, make("td", {}, make("kbd", { textContent: KEY_NAMES[key] ?? key })), make("td", { textContent: text }))));
  document.addEventListener("keydown", event => {
    const { tagName } = event.target, isTyping = ["INPUT", "SELECT"].includes(tagName), isCommand = event.ctrlKey || event.metaKey;
    if (isTyping && event.key === "Escape") return map.focus();
    if (isTyping || element("keys").open || event.altKey || (tagName === "BUTTON" && [" ", "Enter"].includes(event.key))) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!functions.has(key) || (isCommand && key !== "z")) return;
    event.preventDefault();
    event.shiftKey ? functions.get(key).shifted() : functions.get(key).act();
  });
}
