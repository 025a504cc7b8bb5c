-- What the file says of itself.
CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID;

-- Every accepted write, in commit order: what delta sync reads, and where a merge finds its base.
CREATE TABLE journal (
  number INTEGER PRIMARY KEY,
  model TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX journal_by_change ON journal (model, changed_at);
CREATE INDEX journal_by_version ON journal (model, key, version);
