"""The script a data journalist would write: read, merge, dissolve, simplify, and ``to_file`` for each format.

``python geopandas_script.py INPUT OUTPUT`` reads the files in ``INPUT`` (see ``benchmarks/race.py``) and writes each
layer in each format. Nothing in it is slow on purpose, and nothing is tuned: it is what the manual of geopandas shows.
It prints what each step took as JSON.
"""

import json
import sys
import time
from pathlib import Path

import geopandas as gpd
import pandas as pd

source, target = Path(sys.argv[1]), Path(sys.argv[2])
settings = json.loads((source / "race.json").read_text())
seconds, processor = {}, {}
start, worked = time.perf_counter(), time.process_time()


def done(step):
    global start, worked
    seconds[step], processor[step] = time.perf_counter() - start, time.process_time() - worked
    start, worked = time.perf_counter(), time.process_time()


# Read, merge, dissolve.
boundaries = gpd.read_parquet(source / "boundaries.parquet").to_crs(25832)
register = pd.read_csv(source / "register.csv", dtype=str)
population = pd.read_csv(source / "population.csv", dtype={"ags": str})
changes = pd.read_csv(source / "municipal_changes.csv", dtype=str)

follows = {}
for change in changes.sort_values("nach").itertuples():
    if settings["boundaries_date"] < change.in_kraft_bis <= settings["territory_date"]:
        follows[change.ags_alt] = change.ags_neu


def today(ags):
    while ags in follows:
        ags = follows[ags]
    return ags


gemeinden = boundaries[boundaries["ebene"] == "gemeinde"][["schluessel", "geometry"]]
gemeinden["ags"] = gemeinden["schluessel"].map(today)
gemeinden = gemeinden[["ags", "geometry"]].dissolve(by="ags").reset_index()
register = register[register["gebietsstand"] == settings["register_date"]]
population = population[
    (population["einwohner_stand"] == settings["population_date"])
    & (population["gebietsstand"] == settings["population_territory"])
]
gemeinden = gemeinden.merge(
    register.drop(columns=["einwohner", "gebietsstand", "kreis_schluessel", "postleitzahl"]), on="ags", how="left"
)
gemeinden = gemeinden.merge(population[["ags", "einwohner", "einwohner_stand"]], on="ags", how="left")
gemeinden["gemeinde"] = gemeinden["gemeinde_amtlich"].str.replace(", Stadt$", "", regex=True)
gemeinden["kreis_schluessel"] = gemeinden["ags"].str[:5]
gemeinden["land_schluessel"] = gemeinden["ags"].str[:2]
gemeinden["flaeche_km2"] = gemeinden["flaeche_km2"].astype(float).round(2)
gemeinden["flaeche_herkunft"] = "gemeindeverzeichnis"
names = boundaries[["ebene", "schluessel", "name", "bezeichnung"]]
kreis_names = names[names["ebene"] == "kreis"].rename(columns={"schluessel": "kreis_schluessel", "name": "kreis"})
land_names = names[names["ebene"] == "land"].rename(columns={"schluessel": "land_schluessel", "name": "land"})
gemeinden = gemeinden.merge(kreis_names[["kreis_schluessel", "kreis"]], on="kreis_schluessel", how="left")


def level(key):
    found = gemeinden[[key, "einwohner", "einwohner_stand", "geometry"]].dissolve(
        by=key, aggfunc={"einwohner": "sum", "einwohner_stand": "first"}
    )
    found["gemeinden_anzahl"] = gemeinden.groupby(key).size()
    found["flaeche_km2"] = (found.area / 1e6).round(2)
    return found.reset_index()


kreise = level("kreis_schluessel").merge(kreis_names, on="kreis_schluessel", how="left")
kreise = kreise.rename(columns={"bezeichnung": "kreis_art"})
land = level("land_schluessel").merge(land_names, on="land_schluessel", how="left")

# What the pipeline found out about survey and committees comes as tables, for every contestant alike.
layers = {"gemeinden": gemeinden, "kreise": kreise, "land": land}
for name, key in (("gemeinden", "ags"), ("kreise", "kreis_schluessel"), ("land", "land_schluessel")):
    facts = pd.read_csv(source / f"facts_{name}.csv", dtype=settings["facts"][name])
    merged = layers[name].merge(facts, on=key, how="left").sort_values(key)
    layers[name] = merged[[*settings["columns"][name], "geometry"]]
done("join")

simplified = layers["gemeinden"].copy()
simplified["geometry"] = simplified.simplify(settings["tolerance_m"])
(target / "simplified").mkdir()
simplified.to_crs(4326).to_file(target / "simplified" / "gemeinden.geojson", driver="GeoJSON")
done("simplify")

for name, layer in layers.items():
    layer.to_crs(4326).to_file(target / f"{name}.geojson", driver="GeoJSON")
done("geojson")
for name, layer in layers.items():
    layer.to_crs(4326).to_file(target / f"{name}.fgb", driver="FlatGeobuf")
done("flatgeobuf")
for name, layer in layers.items():
    layer.to_file(target / "layers.gpkg", layer=name, driver="GPKG")
done("geopackage")
for name, layer in layers.items():
    layer.to_crs(4326).to_parquet(target / f"{name}.parquet")
done("geoparquet")
for name, layer in layers.items():
    layer.drop(columns="geometry").to_csv(target / f"{name}.csv", index=False)
done("csv")
with pd.ExcelWriter(target / "tables.xlsx") as book:
    for name, layer in layers.items():
        layer.drop(columns="geometry").to_excel(book, sheet_name=name, index=False)
done("xlsx")
print(json.dumps({"seconds": seconds, "processor": processor}))
