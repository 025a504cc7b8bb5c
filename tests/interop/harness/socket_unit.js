import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

/**
 * A shell that has the socket, and starts the program on it whenever it is told to: it says the
 * program's number, and when it has gone.
 */
const KEEPER = `
while read -r line; do
  sh -c 'cd "$1" && shift && LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"' - $line </dev/null &
  echo "$!"
  wait "$!"
  echo gone
done`;

/** A socket that is open while the program which serves it comes and goes, as systemd keeps it. */
export class SocketUnit {
  #keeper;
  #lines;

  /** @private use `SocketUnit.open` */
  constructor(keeper, port) {
    this.#keeper = keeper;
    this.#lines = createInterface(keeper.stdout);
    this.port = port;
  }

  /** Opens a socket on a free port. */
  static async open() {
    const socket = createServer().listen(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = socket.address();
    // The fourth is the first that systemd hands over. Node itself must not keep it: it would
    // answer who comes.
    const stdio = ["pipe", "pipe", "pipe", socket._handle.fd];
    const keeper = spawn("sh", ["-c", KEEPER], { stdio });
    await once(keeper, "spawn");
    socket.close();
    return new SocketUnit(keeper, port);
  }

  /** Starts a program on the socket: as much of `child_process.spawn` as `Server` uses. */
  spawn = (program, flags, { cwd }) => {
    const { stdout, stderr } = this.#keeper;
    const child = new EventEmitter();
    Object.assign(child, { stdout, stderr, exitCode: null, signalCode: null });
    let isEnded = false;
    this.#lines.on("line", (line) => {
      if (line !== "gone") {
        child.pid ??= Number(line);
      } else if (!isEnded) {
        isEnded = true;
        child.exitCode = 0;
        child.emit("exit");
      }
    });
    child.kill = (signal) => process.kill(child.pid, signal);
    this.#keeper.stdin.write(`${[cwd, program, ...flags].join(" ")}\n`);
    return child;
  };

  /** Closes the socket for good; the program has ended before. */
  async close() {
    this.#keeper.stdin.end();
    if (this.#keeper.exitCode === null) {
      await once(this.#keeper, "exit");
    }
  }
}
