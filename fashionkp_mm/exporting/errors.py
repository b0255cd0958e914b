"""What a user can get wrong about an export."""


class ExportError(ValueError):
    """A model that cannot be exported, or was exported and does not do what PyTorch does."""
