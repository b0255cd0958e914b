"""What the commands of `fashionkp_mm.cli` do, a module each; imported when they are called."""
