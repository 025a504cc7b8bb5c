import { once } from "node:events";
import http from "node:http";
import net from "node:net";

/**
 * One till's line to the server: a proxy that keeps a record and can be cut.
 *
 * Each till gets its own, so that cutting one leaves the others on the air; the cut is a real one,
 * of every connection and WebSocket, whatever the browser believes about being online.
 */
export class Network {
  #server;
  #target;
  #sockets = new Set();
  #isCut = false;
  #onRequest = () => {};

  /**
   * The GraphQL requests this till has sent, oldest first. `answer` and `status` stay undefined
   * while there is no answer, or where it was lost.
   *
   * @type {{ at: number, operation?: string, query: string, variables: object, status?: number, answer?: object }[]}
   */
  requests = [];

  /** @private use `Network.open` */
  constructor(target) {
    this.#target = target;
    this.#server = http.createServer((request, response) => this.#forward(request, response));
    this.#server.on("connection", (socket) => this.#admit(socket));
    this.#server.on("upgrade", (request, socket, head) => this.#tunnel(request, socket, head));
  }

  /** Opens a line to the server at `origin`, on a port of its own. */
  static async open(origin) {
    const network = new Network(new URL(origin));
    network.#server.listen(0, "127.0.0.1");
    await once(network.#server, "listening");
    return network;
  }

  /** The address under which this till sees the server. */
  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Resets every connection and refuses new ones until `restore`. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) {
      socket.resetAndDestroy();
    }
  }

  /** Lets connections through again. */
  restore() {
    this.#isCut = false;
  }

  /**
   * Resolves in the very moment in which such a request has been read, and is passed on.
   *
   * @param {(request: Network["requests"][number]) => boolean} isWanted
   */
  whenRequested(isWanted) {
    return new Promise((resolve) => {
      this.#onRequest = (entry) => isWanted(entry) && resolve();
    });
  }

  /** Forgets the record, so that a test sees only what happens next. */
  forget() {
    this.requests.length = 0;
  }

  /** Closes the line for good. */
  async close() {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #admit(socket) {
    socket.on("error", () => socket.destroy());
    if (this.#isCut) {
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #forward(request, response) {
    const { port, hostname } = this.#target;
    const entry = isGraphql(request) ? this.#record(request) : undefined;
    const headers = { ...request.headers };
    if (entry !== undefined) {
      delete headers["accept-encoding"]; // so that the record can read the answer
    }
    const address = { port, hostname, path: request.url };
    const onward = http.request({ ...address, method: request.method, headers });
    request.on("error", () => onward.destroy());
    response.on("close", () => onward.destroy());
    onward.on("error", () => response.socket?.resetAndDestroy());
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.on("error", () => response.socket?.resetAndDestroy());
      answer.pipe(response);
      if (entry !== undefined) {
        recordAnswer(entry, answer);
      }
    });
    request.pipe(onward);
  }

  #record(request) {
    const entry = { at: performance.now(), query: "", variables: {} };
    this.requests.push(entry);
    onText(request, (text) => {
      const body = parseObject(text);
      entry.operation = body?.operationName;
      entry.query = body?.query ?? text;
      entry.variables = body?.variables ?? {};
      this.#onRequest(entry);
    });
    return entry;
  }

  #tunnel(request, socket, head) {
    const { port, hostname } = this.#target;
    const onward = net.connect(Number(port), hostname, () => {
      onward.write(`${request.method} ${request.url} HTTP/1.1\r\n${rawHeaders(request)}\r\n`);
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.on("error", () => socket.resetAndDestroy());
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  }
}

function isGraphql(request) {
  return request.method === "POST" && request.url.split("?")[0] === "/graphql";
}

function recordAnswer(entry, answer) {
  onText(answer, (text) => {
    entry.status = answer.statusCode;
    entry.answer = parseObject(text);
  });
}

/** Calls back with the whole text of a stream, and never when the stream breaks off. */
function onText(stream, callback) {
  const parts = [];
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => callback(Buffer.concat(parts).toString("utf8")));
}

function parseObject(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a malformed body is passed on all the same; the tests send some on purpose
  }
}

function rawHeaders(request) {
  const { rawHeaders: raw } = request;
  let text = "";
  for (let index = 0; index < raw.length; index += 2) {
    text += `${raw[index]}: ${raw[index + 1]}\r\n`;
  }
  return text;
}
