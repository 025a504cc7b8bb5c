// The page GraphiQL over the server's two doors: HTTP for queries and mutations, and the realtime
// socket, which GraphiQL's own fetcher does not know, for subscriptions.

const REALTIME = new URL("/graphql/realtime", location.href.replace(/^http/, "ws"));

const WELCOME = `# Write a query, mutation or subscription here and run it with Ctrl-Enter.
# What there is to ask is under the book on the left.
# The key, or a token as "authorization", goes under "Headers" below.
`;

const byHttp = GraphiQL.createFetcher({ url: "/graphql" });

// GraphiQL takes what has a `subscribe` for a stream of answers.
function fetcher(request, options = {}) {
  return isSubscription(request) ? overSocket(request, options) : byHttp(request, options);
}

// By the text: the document that GraphiQL has parsed is that of a moment ago.
function isSubscription({ query, operationName }) {
  const text = query.replace(/"""[^]*?"""|"(?:\\.|[^"\\\n])*"|#.*/g, "");
  const operations = [...text.matchAll(/(?:^|\})\s*(query|mutation|subscription)\b\s*(\w*)/g)];
  const chosen = operations.find(([, , name]) => name === operationName) ?? operations[0];
  return chosen?.[1] === "subscription";
}

function overSocket({ query, variables }, { headers }) {
  const subscribe = ({ next, error, complete }) => {
    const authorization = { ...headers, host: location.host };
    const shown = `header-${base64url(JSON.stringify(authorization))}`;
    const socket = new WebSocket(REALTIME, ["graphql-ws", shown]);
    const say = (frame) => socket.send(JSON.stringify(frame));
    const data = JSON.stringify({ query, variables });
    let isOver = false;
    const end = (tell, what) => {
      if (!isOver) tell(what);
      isOver = true;
      socket.close();
    };
    const hear = {
      connection_ack: () =>
        say({ id: "1", type: "start", payload: { data, extensions: { authorization } } }),
      data: (payload) => next(payload),
      complete: () => end(complete),
      error: (payload) => end(error, payload),
      connection_error: (payload) => end(error, payload),
    };
    socket.onopen = () => say({ type: "connection_init" });
    socket.onmessage = ({ data }) => {
      const { type, payload } = JSON.parse(data);
      hear[type]?.(payload);
    };
    socket.onclose = ({ code, reason }) => {
      const message = `The socket was closed (${code}): ${reason || "no reason given"}`;
      end(error, { errors: [{ message }] });
    };
    return {
      unsubscribe() {
        isOver = true;
        socket.close();
      },
    };
  };
  return { subscribe };
}

function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// The key is there already where the server shares it with its own pages.
async function sharedKey() {
  const answer = await fetch("/espressync.json").catch(() => undefined);
  return answer?.ok ? (await answer.json()).apiKey : "";
}

const headers = JSON.stringify({ "x-api-key": await sharedKey() }, null, 2);
const page = React.createElement(GraphiQL, {
  fetcher,
  headers,
  defaultQuery: WELCOME,
  defaultEditorToolsVisibility: "headers",
});
ReactDOM.createRoot(document.getElementById("page")).render(page);
