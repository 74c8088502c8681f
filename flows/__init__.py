"""Pipeline and publisher of the Präventionskarte: from inputs in ``geodata/`` to releases in ``outputs/``."""

__version__ = "0.1.0"
