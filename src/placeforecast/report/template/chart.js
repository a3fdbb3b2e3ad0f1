// A line of the places needed, with its interval as a band, against steps of the places.
const MARGIN = { top: 28, right: 16, bottom: 30, left: 70 };
const HEIGHT = 300;
const LEAST_WIDTH = 280;
const YEAR_WIDTH = 44; // room of the label of a year

// About four round steps from zero that reach the highest value.
function ticks(most) {
  const rough = Math.max(most, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, power * [1, 2, 2.5, 5, 10].find((times) => times * power >= rough));
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, at) => at * step);
}

// Runs of neighbouring years that have every one of the values.
function runs(points, names) {
  const found = [];
  let run = [];
  for (const point of [...points, null]) {
    if (point !== null && names.every((name) => point[name] !== null)) run.push(point);
    else if (run.length > 0) { found.push(run); run = []; }
  }
  return found;
}

function drawChart(svg, points, words) {
  const add = (name, attributes, text, parent = svg) => {
    const made = document.createElementNS(svg.namespaceURI, name);
    for (const key of Object.keys(attributes)) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  svg.replaceChildren();
  const width = Math.max(LEAST_WIDTH, Math.round(svg.parentNode.clientWidth));
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.setAttribute("aria-label", words.label);
  const all = points.flatMap((p) => [p.demand, p.places, p.low, p.high]);
  const marks = ticks(Math.max(0, ...all.filter((value) => value !== null)));
  const [inner, bottom] = [width - MARGIN.left - MARGIN.right, HEIGHT - MARGIN.bottom];
  const first = points[0].year;
  const slot = inner / points.length;
  const x = (year) => MARGIN.left + (year - first + 0.5) * slot;
  const y = (value) => bottom - (value / marks[marks.length - 1]) * (bottom - MARGIN.top);
  const at = (year, value) => `${x(year).toFixed(1)} ${y(value).toFixed(1)}`;
  for (const mark of marks) {
    const level = y(mark).toFixed(1);
    add("path", { class: "grid", d: `M${MARGIN.left} ${level}H${width - MARGIN.right}` });
    const label = { class: "tick", x: MARGIN.left - 8, y: level, "text-anchor": "end" };
    add("text", { ...label, "dominant-baseline": "middle" }, printed(mark, "count"));
  }
  const every = Math.ceil(YEAR_WIDTH / slot);
  for (let i = 0; i < points.length; i += every) {
    const place = { class: "tick", x: x(points[i].year).toFixed(1), y: bottom + 20 };
    add("text", { ...place, "text-anchor": "middle" }, printed(points[i].year, "year"));
  }
  for (const run of runs(points, ["low", "high"])) {
    const up = run.map((p) => at(p.year, p.high));
    const back = run.map((p) => at(p.year, p.low)).reverse();
    add("path", { class: "band", d: `M${[...up, ...back].join("L")}Z` });
  }
  for (const run of runs(points, ["places"])) {
    const steps = run.map((p) => `${at(p.year - 0.5, p.places)}L${at(p.year + 0.5, p.places)}`);
    add("path", { class: "places", d: `M${steps.join("L")}` });
  }
  for (const run of runs(points, ["demand"])) {
    add("path", { class: "demand", d: `M${run.map((p) => at(p.year, p.demand)).join("L")}` });
    for (const p of run) {
      const dot = add("circle", { class: "dot", cx: x(p.year), cy: y(p.demand), r: 3 });
      add("title", {}, `${p.year}: ${printed(p.demand, "count")}`, dot);
    }
  }
  add("text", { class: "tick", x: 4, y: 12 }, words.axis);
}
