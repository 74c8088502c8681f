-- The population of the current territory on the map's population date: of several territories the newest.
SELECT * FROM input.population_current WHERE einwohner_stand = getvariable('population_date')
QUALIFY gebietsstand = max(gebietsstand) OVER ()
