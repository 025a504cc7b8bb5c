import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { build } from "esbuild";

import { SERVER, REPOSITORY } from "../../e2e/harness/settings.js";

const FOLDER = resolve(import.meta.dirname, "..");

/** Where the pages are built: it is thrown away with the rest of target/. */
export const PAGES =
  process.env.ESPRESSYNC_INTEROP_PAGES ?? join(REPOSITORY, "target/interop");

/**
 * Builds a page with aws-amplify and the models that `espressync codegen` writes of a schema, and
 * returns its path on the site.
 *
 * @param {string} name
 * @param {string} schema the schema's file, from the repository's folder
 */
export async function buildPage(name, schema) {
  const [pages, models] = [join(PAGES, name), join(PAGES, `${name}-models`)];
  const flags = ["--schema", schema, "--target", "js", "--out", models];
  await promisify(execFile)(SERVER, ["codegen", ...flags], { cwd: REPOSITORY });
  await build({
    entryPoints: [join(FOLDER, "page/app.js")],
    outfile: join(pages, "app.js"),
    bundle: true,
    format: "iife",
    platform: "browser",
    logLevel: "error",
    alias: { models: join(models, "index.js") },
    // The models are not below the folder of the packages.
    nodePaths: [join(FOLDER, "node_modules")],
    define: { global: "globalThis", "process.env.NODE_ENV": '"production"' },
  });
  await mkdir(pages, { recursive: true });
  const html = '<!doctype html><title>till</title><script src="app.js"></script>\n';
  await writeFile(join(pages, "index.html"), html);
  return `/${name}/`;
}
