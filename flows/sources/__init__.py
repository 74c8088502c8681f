"""Sources that change by themselves: fetched over the network or taken from a watched folder, kept as last good."""
