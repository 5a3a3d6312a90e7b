const data = JSON.parse(element("data").textContent);
const strengths = { strong: "strong evidence", weak: "weak evidence", none: "no evidence", fact: "" };

function answer(item) {
  const shown = Number.isInteger(item.number) ? item.number : item.number === null ? null : Number(item.number.toPrecision(3));
  const path = data.links[item.table];
  const link = path ? [make("span", { className: "number" }, shown === null ? " " : ` ${shown} in `,
    make("a", { href: data.root + path.split("/").map(encodeURIComponent).join("/"), textContent: path }))] : [];
  const badge = strengths[item.strength] ? [make("span", { className: `strength ${item.strength}`, textContent: strengths[item.strength] })] : [];
  return make("p", { className: "answer" }, ...badge, item.text, ...link);
}

function imageButton([name, caption, below]) {
  return make("button", { type: "button", title: caption, onclick: () => enlarge(data.thumbnails[name], caption) },
    make("img", { src: data.thumbnails[name], alt: caption, loading: "lazy" }),
    ...below.map(text => make("span", { textContent: text })));
}

function chart(section) {
  const text = section.answers.map(item => item.text).join(" ");
  return make("button", { type: "button", className: "chart", title: "Enlarge", onclick: () => enlarge(section.figure, text) },
    make("img", { src: section.figure, alt: `${section.question} ${text}` }));
}

function card(section) {
  const made = make("section", { id: section.key }, make("h2", { textContent: section.question }), ...section.answers.map(answer));
  if (section.figure) made.append(chart(section));
  const groups = section.images.filter(item => item.images.length).map(({ heading, images }) => make("div", {},
    make("h3", { textContent: heading }), make("div", { className: "row" }, ...images.map(imageButton))));
  made.append(make("div", { className: groups.length > 12 ? "groups" : "" }, ...groups));
  return made;
}

element("title").textContent = document.title = data.title;
element("about").textContent = data.about;
element("lines").append(...data.lines.map(text => make("li", { textContent: text })));
element("main").append(...data.sections.map(card));
