"""Where the parts of the checkout lie. Only the checkout's own layout stands here; inputs and outputs can be moved."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SQL = ROOT / "sql"
GEODATA = ROOT / "geodata"
CONTRACTS = GEODATA / "contracts"
OUTPUTS = ROOT / "outputs"
ASSETS = Path(__file__).resolve().parent / "assets"
TEMPLATES = Path(__file__).resolve().parent / "templates"
LOCK = ROOT / "requirements.lock"
