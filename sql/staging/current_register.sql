-- The register of the current territory: of several days the newest.
SELECT * FROM input.register_current QUALIFY gebietsstand = max(gebietsstand) OVER ()
