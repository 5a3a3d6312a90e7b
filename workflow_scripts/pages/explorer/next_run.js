/** The lines of the configuration with which the next run reads the picks. */

const WORDS = /^(y|n|yes|no|on|off|true|false|null)$/i; // YAML takes them for other values unless they are quoted
const inYaml = name => WORDS.test(name) ? JSON.stringify(name) : name;

/** Return the lines for the table `file` of the picks, whose `state` says what it holds; `data` are those of the page. */
function nextRunLines(file, { selections, labels, aside }, data) {
  const names = [...selections.keys()];
  return [
    ...(labels.size || aside.size ? ["intake:"] : []),
    ...(labels.size ? [`  labels: {corrections: ${file}}`] : []),
    ...(aside.size ? [`  exclude_file: ${file}`] : []),
    ...(names.length ? ["subsets:", ...names.map(name => `  ${inYaml(name)}: {file: ${file}}`)] : []),
    ...(names.length ? ["studies:", ...names.flatMap(name => studyLines(name, data))] : []),
  ];
}

/** Return the lines of a study that repeats this one with the images of a selection alone. */
function studyLines(name, { study, settings }) {
  const repeated = { ...settings, baseline: { ...settings.baseline, subset: name } };
  return [`  ${study}_${name}:`, ...Object.entries(repeated).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`)];
}
