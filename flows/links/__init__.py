"""The weekly check of the addresses behind the evidence, without Prefect."""
