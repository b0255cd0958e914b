"""What can be wrong with an export, and is the user's to mend."""


class ExportError(ValueError):
    """A model that cannot be exported, or was exported and does not do what PyTorch does."""
