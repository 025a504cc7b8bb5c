/** Asks the server itself, past every till. */
export async function ask(server, query, variables = {}) {
  const answer = await fetch(`${server.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": server.apiKey },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors !== undefined) {
    throw new Error(`${query}: ${JSON.stringify(errors)}`);
  }
  return data;
}

/** Every order that the server has, with its lines. */
export async function storedOrders(server) {
  const query = `query ($nextToken: String) {
    listOrders(limit: 1000, nextToken: $nextToken) {
      items { id total subtotal tax _deleted lineItems(limit: 100) { items { id qty price total } } }
      nextToken
    }
  }`;
  const orders = [];
  let nextToken = null;
  do {
    const { listOrders } = await ask(server, query, { nextToken });
    orders.push(...listOrders.items);
    nextToken = listOrders.nextToken;
  } while (nextToken !== null);
  return orders;
}
