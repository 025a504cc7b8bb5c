-- Which entry of the journal holds the version before; each record's row says which holds its own.
-- So a record's entries are found one from the other, where an index would have to be changed
-- somewhere in its middle at every write.
ALTER TABLE journal ADD COLUMN prior INTEGER;
UPDATE journal SET prior = (SELECT before.number FROM journal AS before
  WHERE before.model = journal.model AND before.key = journal.key
  AND before.version < journal.version ORDER BY before.version DESC LIMIT 1);
