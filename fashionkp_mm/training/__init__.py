"""From a command line to a training, a test, or drawn samples: what ``tools/*.py`` call."""
