// A page with the unmodified aws-amplify. Tests reach it as `interop`, and can hand over data but no
// functions: what an app would write as one has a name here.
import { Amplify } from "aws-amplify";
import {
  DataStore,
  DISCARD,
  OpType,
  Predicates,
  SortDirection,
  syncExpression,
} from "aws-amplify/datastore";
import { Hub } from "aws-amplify/utils";

import * as models from "models";

/** What an app may answer when the server has refused an update for its version. */
const CONFLICT_HANDLERS = {
  discard: () => DISCARD,
  /** Keeps the change of the title, and of the rest what the server has. */
  title: ({ modelConstructor, localModel, remoteModel }) =>
    modelConstructor.copyOf(remoteModel, (draft) => {
      draft.title = localModel.title;
    }),
};

/** What has happened, oldest first: Hub's events of DataStore and of the realtime socket. */
const events = [];

/** What DataStore has told its errorHandler. */
const errors = [];

/** What `conflictHandler` was given. */
const conflicts = [];

Hub.listen("datastore", ({ payload: { event, data } }) => events.push({ event, ...plain(data) }));
Hub.listen("api", ({ payload: { event, data } }) =>
  events.push({ event, state: data?.connectionState }),
);

/** A message's data, with a model's class by its name and its records by their JSON. */
function plain(data) {
  const text = JSON.stringify(data ?? {}, (key, value) =>
    typeof value === "function" ? value.name : value,
  );
  return JSON.parse(text);
}

/**
 * Says which API to use and how.
 *
 * @param {{ endpoint: string, apiKey?: string, token?: string, expressions?: Record<string,
 *   [string, string, unknown]>, conflictHandler?: keyof typeof CONFLICT_HANDLERS,
 *   options?: object }} settings
 */
function configure({ endpoint, apiKey, token, expressions = {}, conflictHandler, options }) {
  const GraphQL = {
    endpoint,
    region: "eu-central-1",
    ...(token === undefined ? { defaultAuthMode: "apiKey", apiKey } : { defaultAuthMode: "userPool" }),
  };
  Amplify.configure({ API: { GraphQL } }, token === undefined ? {} : { Auth: signedInBy(token) });
  const handler = CONFLICT_HANDLERS[conflictHandler];
  DataStore.configure({
    errorHandler: ({ message, errorType, operation, process }) =>
      errors.push({ message, errorType, operation, process }),
    syncExpressions: Object.entries(expressions).map(([model, [field, operator, value]]) =>
      syncExpression(models[model], () => (record) => record[field][operator](value)),
    ),
    ...(handler && {
      conflictHandler: (conflict) => {
        conflicts.push(plain(conflict));
        return handler(conflict);
      },
    }),
    ...options,
  });
}

/** A session that somebody else has opened: its JWT is both tokens. */
function signedInBy(token) {
  const payload = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
  const jwt = { toString: () => token, payload };
  return { tokenProvider: { getTokens: async () => ({ accessToken: jwt, idToken: jwt }) } };
}

/** Collects what an observer of a model is told, from now on. */
function observe(model) {
  const seen = [];
  DataStore.observe(models[model]).subscribe(({ opType, element }) =>
    seen.push({ opType, ...plain(element) }),
  );
  return seen;
}

globalThis.interop = {
  ...{ DataStore, OpType, Predicates, SortDirection, models },
  ...{ configure, observe, plain, events, errors, conflicts, seen: {} },
};
