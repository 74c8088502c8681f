"""The nights of the operation: how each ended, what its log says, and whether the last ones happened at all."""
