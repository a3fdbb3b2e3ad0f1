// Picking a district: four lists, a sentence, a figure, a table and a file to keep.
const data = JSON.parse(document.getElementById("explorer-data").textContent);
const labels = data.labels;
const KEYS = ["district", "stage", "ledger", "case"];
const LISTS = [data.districts, data.stages, data.ledgers, data.cases];
const LEAST = 0.5; // less than half a place is neither short nor idle
const byId = (name) => document.getElementById(`explorer-${name}`);
const selects = KEYS.map(byId);
const rows = new Map(data.rows.map((row) => [row.slice(0, 4).join(" "), row.slice(4)]));
// Every beginning of a choice that leads to figures: a district, a district and a stage, and so on.
const leads = new Set(
  data.rows.flatMap((row) => KEYS.map((_, at) => row.slice(0, at + 1).join(" "))),
);
let wanted = data.first.map((key, at) => place(at, key));
let shown = wanted;
let kept = ""; // address of the file

function place(at, key) {
  return LISTS[at].findIndex((choice) => choice[0] === key);
}

function filled(text, fields) {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(fields[name]));
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const key of Object.keys(attributes)) made.setAttribute(key, attributes[key]);
  return made;
}

// Fill the lists once; parts of a district stand under its name.
function listChoices() {
  LISTS.forEach((choices, at) => {
    let [group, into] = ["", selects[at]];
    choices.forEach(([, name, above], i) => {
      if (above !== group) {
        [group, into] = [above, selects[at]];
        if (above !== "") {
          into = document.createElement("optgroup");
          into.label = above;
          selects[at].append(into);
        }
      }
      into.append(element("option", name, { value: i }));
    });
  });
}

// What is wanted where there is such a thing, else the first that there is.
function resolved() {
  const found = [];
  LISTS.forEach((choices, at) => {
    const there = choices.map((_, i) => i).filter((i) => leads.has([...found, i].join(" ")));
    found.push(there.includes(wanted[at]) ? wanted[at] : there[0]);
    for (const option of selects[at].options) {
      const i = Number(option.value);
      option.disabled = !there.includes(i);
      const name = choices[i][1];
      option.textContent = option.disabled ? filled(labels.absent, { name }) : name;
    }
    selects[at].value = String(found[at]);
  });
  return found;
}

// The rows of the choice by year, without the years that it has no figures for.
function records() {
  const lists = rows.get(shown.join(" ")).map((at) => data.lists[at]);
  const made = data.years.map((year, i) => {
    const record = { year, low: null, high: null };
    data.columns.forEach(([name], at) => { record[name] = lists[at][i]; });
    return record;
  });
  return made.filter((record) => data.columns.some(([name]) => record[name] !== null));
}

function names() {
  const [district, stage, ledger, plan] = shown.map((i, at) => LISTS[at][i][1]);
  const level = LISTS[0][shown[0]][3];
  const area = level === "" ? district : filled(labels.area, { district, level });
  return { district, level, area, stage, ledger, case: plan };
}

// The record with the highest value; the earliest of several.
function highest(there, value) {
  const known = there.filter((record) => value(record) !== null);
  return known.reduce((best, record) => (value(record) > value(best) ? record : best), known[0]);
}

function sentence(there, spot) {
  const short = there.filter((record) => record.balance !== null && record.balance < -LEAST);
  const worst = highest(there, (record) => (record.balance === null ? null : -record.balance));
  let text = "";
  if (worst !== undefined) {
    text = filled(short.length > 0 ? labels.short : labels.enough, {
      spot,
      count: short.length,
      years: there.length,
      first: short.length > 0 ? short[0].year : "",
      worst: worst.year,
      amount: printed(Math.abs(worst.balance), "count"),
      use: printed(worst.utilisation, "share"),
    });
  }
  const cells = highest(there, (record) => record.cell_shortfall);
  if (cells !== undefined && cells.cell_shortfall > LEAST) {
    const amount = printed(cells.cell_shortfall, "count");
    text += filled(labels.cells, { worst: cells.year, amount });
  }
  if (there.some((record) => record.chance_of_shortfall > 0)) {
    const chance = highest(there, (record) => record.chance_of_shortfall);
    const amount = printed(chance.chance_of_shortfall, "share");
    text += filled(labels.chance, { worst: chance.year, amount });
  }
  return text;
}

function fillTable(there, caption) {
  const head = document.createElement("tr");
  head.append(element("th", labels.year, { scope: "col", class: "year" }));
  for (const [, label, form] of data.columns) {
    head.append(element("th", label, { scope: "col", class: form }));
  }
  const body = there.map((record) => {
    const line = document.createElement("tr");
    line.append(element("th", printed(record.year, "year"), { scope: "row", class: "year" }));
    for (const [name, , form] of data.columns) {
      const text = printed(record[name], form);
      const shade = text === BLANK ? "none" : text.startsWith("-") ? "below" : "";
      line.append(element("td", text, { class: `${form} ${shade}`.trim() }));
    }
    return line;
  });
  byId("caption").textContent = caption;
  byId("head").replaceChildren(head);
  byId("body").replaceChildren(...body);
}

// One cell of the file: quoted where it must be, and never read as a formula.
function cell(value) {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function keep(there, named) {
  const known = [labels.district, labels.code, labels.level, labels.stage, labels.ledger];
  const heads = [...known, labels.case, labels.year, ...data.columns.map(([, label]) => label)];
  const code = LISTS[0][shown[0]][0];
  const own = [named.district, code, named.level, named.stage, named.ledger, named.case];
  const values = there.map((record) => [
    ...own, record.year, ...data.columns.map(([name]) => record[name]),
  ]);
  const text = [heads, ...values].map((line) => line.map(cell).join(",")).join("\r\n");
  if (kept !== "") URL.revokeObjectURL(kept);
  kept = URL.createObjectURL(new Blob([`\ufeff${text}\r\n`], { type: "text/csv;charset=utf-8" }));
  byId("save").href = kept;
  const file = filled(labels.file, { ...named, district: code || named.district });
  byId("save").download = `${file.replace(/[^\p{L}\p{N} ._-]/gu, "_")}.csv`;
}

function redraw() {
  const there = records();
  const label = filled(labels.chart, { summary: byId("summary").textContent });
  drawChart(byId("chart"), there, { label, axis: labels.axis });
}

function show() {
  shown = resolved();
  const [there, named] = [records(), names()];
  const spot = filled(labels.caption, named);
  byId("summary").textContent = sentence(there, spot);
  fillTable(there, spot);
  redraw();
  keep(there, named);
}

function address() {
  const parts = KEYS.map((key, at) => [key, LISTS[at][shown[at]][0]]);
  return `#${new URLSearchParams(parts)}`;
}

// Take the choice from the address; an address of a section of the page is none.
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const found = KEYS.map((key, at) => (asked.has(key) ? place(at, asked.get(key)) : -1));
  if (found.every((i) => i < 0)) return false;
  wanted = found.map((i, at) => (i < 0 ? wanted[at] : i));
  return true;
}

selects.forEach((select, at) => {
  select.addEventListener("change", () => {
    wanted = wanted.map((i, other) => (other === at ? Number(select.value) : i));
    show();
    history.replaceState(null, "", address());
  });
});
addEventListener("hashchange", () => { if (readAddress()) show(); });
addEventListener("resize", redraw);
listChoices();
const linked = readAddress();
byId("live").hidden = false;
show();
if (linked) byId("title").scrollIntoView();
