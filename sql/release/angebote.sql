-- As supplied; the contract names and orders the columns.
SELECT * FROM input.resources
