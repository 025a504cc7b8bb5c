import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { extname, join } from "node:path";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** A folder served over HTTP, for tests of what needs no GraphQL server. It counts what is asked. */
export class StaticSite {
  #server;

  /** Every path asked for, oldest first. */
  requests = [];

  /**
   * @param {string} folder may be changed, to publish another build at the same address
   * @param {Record<string, string>} [headers] sent along with every file
   */
  constructor(folder, headers = {}) {
    this.folder = folder;
    this.headers = headers;
    this.#server = http.createServer((request, response) => this.#answer(request, response));
  }

  /** Starts to listen on a free port. */
  async open() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Stops listening and drops every connection. */
  async close() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #answer(request, response) {
    const { pathname } = new URL(request.url, this.origin);
    this.requests.push(pathname);
    if (pathname === "/graphql" || pathname === "/espressync.json") {
      response.writeHead(200, { "content-type": "application/json" }).end(`{"at":${Date.now()}}`);
      return;
    }
    const file = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    try {
      const content = await readFile(join(this.folder, file));
      const type = { "content-type": TYPES[extname(file)] ?? "text/plain" };
      response.writeHead(200, { ...this.headers, ...type }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }
}
