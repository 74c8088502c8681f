-- As supplied, with the newer ones of the current territory; the contract names and orders the columns.
SELECT * FROM staging.municipal_changes
