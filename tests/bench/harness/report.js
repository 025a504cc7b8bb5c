import { median, TABLE } from "./workloads.js";

/** Prints a table for each size: times, ratios, and whether they are what the store promises. */
export function print(figures) {
  for (const [rows, engines] of Object.entries(figures)) {
    console.log(`\n${Number(rows).toLocaleString("en")} rows; ms, median (lowest to highest)\n`);
    console.log(line(["", "raw", "amplify", "ours", "beside raw", "times amplify"]));
    for (const [name, row] of Object.entries(TABLE)) {
      if (!Object.values(engines).flat().some((round) => isFigure(round[name]))) continue;
      console.log(line([row.name, ...cells(engines, name, row)]));
    }
    check(engines);
  }
}

function cells(engines, name, row) {
  const of = (engine) => (engines[engine] ?? []).map((round) => round[name]).filter(isFigure);
  const [raw, amplify, ours] = ["raw", "amplify", "ours"].map(of);
  const beside = ratio(ours, raw);
  const times = ratio(amplify, ours);
  return [
    spread(raw),
    spread(amplify),
    spread(ours),
    verdict(beside, row.raw, (ratio, most) => ratio <= most, "≤"),
    verdict(times, row.amplify, (ratio, least) => ratio >= least, "≥"),
  ];
}

function isFigure(figure) {
  return figure !== undefined && Number.isFinite(figure);
}

function ratio(a, b) {
  return a.length === 0 || b.length === 0 ? undefined : median(a) / Math.max(median(b), 0.001);
}

function verdict(ratio, target, isMet, sign) {
  if (ratio === undefined) return "—";
  if (target === undefined) return short(ratio);
  return `${short(ratio)} (${sign} ${target}${isMet(ratio, target) ? "" : " MISSED"})`;
}

function spread(numbers) {
  if (numbers.length === 0) return "—";
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return `${short(median(numbers))} (${short(low)}–${short(high)})`;
}

function short(number) {
  if (number >= 100) return number.toFixed(0);
  return number >= 1 ? number.toFixed(1) : number.toPrecision(2);
}

function line([name, ...cells]) {
  const widths = [24, 24, 22, 22, 24];
  return name.padEnd(37) + cells.map((cell, index) => cell.padEnd(widths[index])).join("");
}

/** All engines must have done the same: else the figures compare nothing. */
function check(engines) {
  for (const what of ["deleted", "counts"]) {
    const all = Object.values(engines).flatMap((rounds) => rounds.map((round) => round[what]));
    const distinct = [...new Set(all)];
    if (distinct.length > 1) console.log(`\nNOT THE SAME: ${what} is ${distinct.join(" | ")}`);
  }
}
