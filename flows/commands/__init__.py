"""The commands of ``praevkarte``, by purpose; ``flows.cli`` joins them."""
