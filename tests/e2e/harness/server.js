import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { DIST, REPOSITORY, SERVER } from "./settings.js";
import { until } from "./wait.js";

/** The key the tests' server knows. It is shared with the pages, as in the demo. */
export const API_KEY = "da2-end-to-end";

const STARTUP_MS = 20_000;

/**
 * A real `espressync serve` on a data file of its own, which outlives each start of the program.
 *
 * `schema` is the file of the API, `flags` are further ones of the command line. With `isTls` it
 * shows a certificate of its own making, which browsers take by `--ignore-certificate-errors`. With
 * `isHanded` its socket is open before it starts and while it is away, as a systemd socket unit's.
 *
 * @typedef {{ schema?: string, flags?: string[], isTls?: boolean, isHanded?: boolean }} Settings
 */
export class Server {
  #folder;
  #program;
  #settings;
  #log = "";

  /** The key it takes from its next start on, and shares with the pages it serves. */
  apiKey = API_KEY;

  /** @private use `Server.start` */
  constructor(folder, port, settings) {
    this.#folder = folder;
    this.#settings = settings;
    this.port = port;
    this.dataFile = join(folder, "shop.sqlite");
  }

  /**
   * Starts a server with an empty data file on a free port: the demo's shop, with its catalog and
   * its pages, unless the settings name another schema.
   *
   * @param {Settings} [settings]
   */
  static async start(settings = {}) {
    const folder = await mkdtemp(join(tmpdir(), "espressync-e2e-"));
    const server = new Server(folder, settings.port ?? (await freePort()), settings);
    await server.restart();
    return server;
  }

  /** The server's own address. Pages reach it through a `Network`, which can be cut. */
  get origin() {
    return `${this.#settings.isTls ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  /** What the program has printed so far, over all its starts. */
  get log() {
    return this.#log;
  }

  /** Starts the program again on the same file and port. */
  async restart() {
    const start = this.#settings.spawn ?? spawn;
    const program = start(SERVER, this.#arguments(), { cwd: REPOSITORY });
    program.stdout.on("data", (text) => (this.#log += text));
    program.stderr.on("data", (text) => (this.#log += text));
    program.on("error", (error) => (this.#log += `${SERVER}: ${error.message}\n`));
    this.#program = program;
    try {
      await until("the server to say it is well", () => this.#isWell(), STARTUP_MS);
    } catch (error) {
      await this.kill();
      throw new Error(`${error.message}; it printed:\n${this.#log}`, { cause: error });
    }
  }

  /** Stops the program as an operator would, and waits until it has gone. */
  async stop() {
    await this.#end("SIGTERM");
  }

  /** Ends the program in the middle of whatever it is doing, as a power cut would. */
  async kill() {
    await this.#end("SIGKILL");
  }

  /** Stops the program and deletes its file. */
  async dispose() {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #arguments() {
    const { schema, isTls, flags = [] } = this.#settings;
    const shop = [
      ...["--static", DIST],
      ...["--seed", "src/domain/demo_catalog.json"],
      "--share-key",
    ];
    return [
      "serve",
      ...["--schema", schema ?? "src/schema.graphql"],
      ...["--data", this.dataFile],
      ...["--listen", `127.0.0.1:${this.port}`],
      ...["--api-key", this.apiKey],
      ...(schema === undefined ? shop : []),
      ...(isTls ? ["--tls-self-signed"] : []),
      ...flags,
    ];
  }

  async #isWell() {
    if (hasEnded(this.#program)) {
      throw new Error(`the server ended before it was ready; it printed:\n${this.#log}`);
    }
    const answer = await fetch(`${this.origin}/healthz`).catch(() => undefined);
    return answer?.ok;
  }

  async #end(signal) {
    const program = this.#program;
    if (program === undefined || program.pid === undefined || hasEnded(program)) {
      return;
    }
    const gone = once(program, "exit");
    program.kill(signal);
    await gone;
  }
}

/** Finds a port nobody listens on. */
export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

function hasEnded(program) {
  return program.exitCode !== null || program.signalCode !== null;
}
