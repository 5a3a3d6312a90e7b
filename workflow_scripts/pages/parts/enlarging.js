/** Show an image large, with a text, in the dialog `large` of the page. */
function enlarge(src, text) {
  element("large").replaceChildren(make("img", { src, alt: text }), make("p", { textContent: text }),
    make("button", { textContent: "Close", onclick: () => element("large").close() }));
  element("large").showModal();
}
