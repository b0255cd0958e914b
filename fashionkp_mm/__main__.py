"""``python -m fashionkp_mm``: the command line."""

from fashionkp_mm.cli import app

if __name__ == "__main__":
    app(prog_name="fashionkp")
