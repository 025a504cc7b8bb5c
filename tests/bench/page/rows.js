// The rows that every engine stores: the same ones, made from their number. The wasm module makes
// them by the same rule (crates/browser/examples/store_bench.rs).

/** Of this many rows one is below `SCARCE`: a predicate that selects 1 %. */
export const SCARCE = 10;

/** How many lines an order of the checkout has. */
export const LINES = 5;

/** A number that looks random and is not: a row's own. */
export function scramble(number) {
  return Math.imul(number + 1, 0x9e3779b1) >>> 0;
}

function hex(number, digits) {
  return number.toString(16).padStart(digits, "0");
}

/** A key in the form of a UUID, of a row or an order by its number. */
export function key(number) {
  const [a, b] = [scramble(number), scramble(scramble(number))];
  return `${hex(a, 8)}-${hex(b & 0xffff, 4)}-4${hex(b >>> 20, 3)}-a000-${hex(number, 12)}`;
}

/** A product in stock, about 183 bytes as JSON. */
export function item(number) {
  const random = scramble(number);
  return {
    id: key(number),
    name: `Flat white ${hex(random, 8)}`,
    category: `shelf ${random % 100}`,
    price: (random % 1000) / 4,
    stock: (random >>> 8) % 1000,
    note: "Two shots, milk at 60 degrees, no foam above it.",
  };
}

/** The orders' numbers lie above those of the items. */
const FIRST_ORDER = 1_000_000;

/** An order of the checkout with its lines. */
export function order(number) {
  const id = key(FIRST_ORDER + number * (LINES + 1));
  const lines = Array.from({ length: LINES }, (_, line) => ({
    id: key(FIRST_ORDER + number * (LINES + 1) + line + 1),
    product: `Flat white ${line}`,
    quantity: line + 1,
    price: 3.5,
    orderId: id,
  }));
  return { order: { id, number, total: 52.5, note: "to go" }, lines };
}

/** The numbers of rows to look up, spread over all of `count`. */
export function spread(count, wanted) {
  return Array.from({ length: wanted }, (_, index) => scramble(index + 77) % count);
}
