"""Writers of the files that describe a release, one module each; all facts come from contracts, sidecars and data."""
