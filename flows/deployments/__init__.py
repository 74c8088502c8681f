"""The Prefect flows beside the nightly one (``flows.refresh``), and what all flows share."""
