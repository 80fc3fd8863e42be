"""The published K-SSM models, equation by equation: exhibits, position-wise, kept to be rerun and doubted.

None of them mixes information across the sequence. `docs/models.md` tells what was claimed and what holds.
"""

from trainer.models.published.v1 import PublishedV1
from trainer.models.published.v2 import PublishedV2
from trainer.models.published.v3 import PublishedV3

__all__ = ["PublishedV1", "PublishedV2", "PublishedV3"]
