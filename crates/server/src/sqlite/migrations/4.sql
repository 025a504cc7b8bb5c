-- The name of the mutation that made this version, where it must not count twice.
ALTER TABLE journal ADD COLUMN once INTEGER;
