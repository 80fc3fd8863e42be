"""What a model is made of: the `model:` section of a preset. No torch here."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Kind = Literal[
    "kssm-v3", "gpt", "gated", "bolted",
    "kssm-v1-original", "kssm-v2-original", "kssm-v3-original", "kssm-v3-monostable",
]  # fmt: skip


class ModelConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Shape and switches of one model; a field that a kind does not use is ignored by it.

    Raises:
        ValueError: (a `msgspec.ValidationError` when decoded) if the sizes do not divide.
    """

    kind: Annotated[
        Kind,
        Meta(
            description="kssm-v3: driven oscillators; gpt: attention control; gated: recurrence control; "
            "bolted: gpt scaled by 1 + alpha R before its norm; "
            "the originals: the published equations, position-wise"
        ),
    ] = "kssm-v3"
    dim: Annotated[int, Meta(ge=8, le=16384, description="width of the stream between layers")] = 112
    layers: Annotated[int, Meta(ge=1, le=256, description="blocks")] = 4
    ffn: Annotated[
        float, Meta(gt=0, le=16, description="inner width of the feed-forward part, in units of dim")
    ] = 4.0
    oscillators: Annotated[
        int, Meta(ge=1, le=65536, description="oscillators a layer (kssm-v3) or real states a layer (gated)")
    ] = 256
    group: Annotated[int, Meta(ge=2, le=4096, description="oscillators a group, coupled with each other")] = 4
    harmonics: Annotated[
        int, Meta(ge=1, le=32, description="order parameters Z_1..Z_H read from a group")
    ] = 2
    path: Annotated[
        Literal["order-params", "residual"],
        Meta(
            description="order-params: nothing passes the first bank but order parameters; residual: a bypass"
        ),
    ] = "order-params"
    coupled: Annotated[bool, Meta(description="the Kuramoto step inside groups")] = True
    u: Annotated[
        Literal["smooth", "clamp", "off"],
        Meta(description="what sets the coupling K = 2 sigmoid(u); off: u = 1 everywhere"),
    ] = "smooth"
    reg: Annotated[
        float, Meta(ge=0, le=10, description="weight lambda of the penalty (log u)^2 beside CE")
    ] = 0.01
    noise: Annotated[
        float, Meta(ge=0, le=3.2, description="phase noise in training only, radians; 0 is off")
    ] = 0.0
    heads: Annotated[int, Meta(ge=1, le=256, description="attention heads (gpt)")] = 4

    positions: Annotated[
        int, Meta(ge=1, le=1 << 20, description="learned positions, the longest context (originals v2, v3)")
    ] = 1024
    dropout: Annotated[float, Meta(ge=0, lt=1, description="dropout in training (original v2)")] = 0.0

    def __post_init__(self) -> None:
        if self.kind in ("kssm-v3", "bolted") and self.oscillators % self.group:
            raise ValueError(f"oscillators ({self.oscillators}) must be a multiple of group ({self.group})")
        if self.kind in ("gpt", "bolted") and (self.dim % self.heads or (self.dim // self.heads) % 2):
            raise ValueError(f"dim ({self.dim}) over heads ({self.heads}) must be an even whole number")
