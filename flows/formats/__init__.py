"""Writers of the published file formats, one module each."""
