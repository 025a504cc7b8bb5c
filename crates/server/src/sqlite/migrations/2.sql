-- The last version of records that were removed for good: one made under the same key goes on from
-- there.
CREATE TABLE removed (
  model TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (model, key)
) WITHOUT ROWID;
