// The app shell's keeper: it makes the till open with no network.
//
// It holds one cache with every file of one build, and nothing else. Orders and products never pass
// through here: GraphQL, WebSockets and the server's own paths go straight to the network.
//
//  install    every file of SHELL is downloaded and checked against its hash: all of them or none
//  wait       an update stays waiting until the page sends { type: "install-update" }, which it does
//             when the user agrees, so a till is never swapped in mid-sale
//  activate   the caches of older builds are deleted, and open pages are taken over at once (which
//             puts the very first visit under control too)
"use strict";

// The next two lines are filled in by xtask/hooks/precache.mjs when Trunk has built the app, so each
// build has its own service worker and the browser notices the update.
/** @type {[path: string, integrity: string][]} */
const SHELL = [];
const BUILD = "unbuilt";

/** Answers every navigation: the app does its own routing. */
const START_PAGE = new URL("./", self.location.href).pathname;

/** Answered by the server alone, each with everything below it. Offline they fail, as they should. */
const SERVER_PATHS = ["/graphql", "/healthz", "/espressync.json"];

const CACHE_PREFIX = "espressync-shell-";
const CACHE_NAME = CACHE_PREFIX + BUILD;
const SHELL_PATHS = new Set(SHELL.map(([path]) => path));

self.addEventListener("install", (event) => event.waitUntil(downloadShell()));

self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

self.addEventListener("message", (event) => {
  if (event.data?.type === "install-update") {
    event.waitUntil(self.skipWaiting());
  }
});

self.addEventListener("fetch", (event) => {
  const path = shellPathFor(event.request);
  if (path !== undefined) {
    event.respondWith(fromShell(path, event.request));
  }
});

/** Fills this build's cache. A file of another build fails its hash, and the browser tries again later. */
async function downloadShell() {
  const cache = await caches.open(CACHE_NAME);
  // "no-cache" asks the server about each file but does not download again what has not changed.
  await cache.addAll(
    SHELL.map(([path, integrity]) => new Request(path, { cache: "no-cache", integrity })),
  );
}

/** Drops what older builds left behind and answers for the pages that are already open. */
async function takeOver() {
  const names = await caches.keys();
  const outdated = names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE_NAME);
  await Promise.all(outdated.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/**
 * Says which file of the shell answers a request, if any does.
 *
 * @param {Request} request
 * @returns {string | undefined} the file's path; undefined leaves the request to the network
 */
function shellPathFor(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || isServerPath(url.pathname)) {
    return undefined;
  }
  if (SHELL_PATHS.has(url.pathname)) {
    return url.pathname;
  }
  return request.mode === "navigate" ? START_PAGE : undefined;
}

/** @param {string} pathname */
function isServerPath(pathname) {
  return SERVER_PATHS.some((path) => pathname === path || pathname.startsWith(`${path}/`));
}

/**
 * Answers from the cache, or from the network where the browser has thrown the cache away.
 *
 * @param {string} path
 * @param {Request} request
 */
async function fromShell(path, request) {
  const cache = await caches.open(CACHE_NAME);
  return (await cache.match(path, { ignoreVary: true })) ?? fetch(request);
}
