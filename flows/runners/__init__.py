"""How the partitioned work of a release is spread: over the threads of one machine, or over a Dask cluster."""
