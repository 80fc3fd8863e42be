"""What a model is made of: the `model:` section of a preset. No torch here."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Kind = Literal[
    "kssm-v3", "gpt", "gated", "bolted", "memory",
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
            "memory: a recurrence beside an associative memory; "
            "the originals: the published equations, position-wise"
        ),
    ] = "kssm-v3"
    dim: Annotated[int, Meta(ge=8, le=16384, description="width of the stream between layers")] = 112
    layers: Annotated[int, Meta(ge=1, le=256, description="blocks")] = 4
    ffn: Annotated[
        float, Meta(gt=0, le=16, description="inner width of the feed-forward part, in units of dim")
    ] = 4.0
    oscillators: Annotated[
        int,
        Meta(
            ge=1, le=65536, description="oscillators a layer (kssm-v3) or real states a layer (gated, memory)"
        ),
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
        Meta(description="what sets the coupling K = k_max sigmoid(u); off: u = 1 everywhere"),
    ] = "smooth"
    dynamics: Annotated[
        Literal["driven", "ema", "mobius"],
        Meta(
            description="driven: a decaying, turning average of the drive; ema: the same, not turning; "
            "mobius: phasors on the unit circle that a field from the layer below moves"
        ),
    ] = "driven"
    k_max: Annotated[float, Meta(gt=0, le=16, description="the largest coupling K")] = 2.0
    k_sign: Annotated[
        Literal["positive", "signed"],
        Meta(description="positive: K = k_max sigmoid(u); signed: k_max (u - 1) / (u + 1), which can repel"),
    ] = "positive"
    feedback: Annotated[
        bool,
        Meta(description="the Kuramoto step changes the state, not the read-out: a loop over tokens, slow"),
    ] = False
    latch: Annotated[
        float,
        Meta(
            ge=0, le=0.5, description="pull towards phases 0 and pi, radians a token; 0: none (mobius; slow)"
        ),
    ] = 0.0
    written: Annotated[
        Literal["all", "R"],
        Meta(description="R: what a group writes into the stream is multiplied by its R"),
    ] = "all"
    reg: Annotated[
        float, Meta(ge=0, le=10, description="weight lambda of the penalty (log u)^2 beside CE")
    ] = 0.01
    noise: Annotated[
        float, Meta(ge=0, le=3.2, description="phase noise in training only, radians; 0 is off")
    ] = 0.0
    z_loss: Annotated[
        float, Meta(ge=0, le=1, description="weight of the mean squared log-partition beside CE; 0: off")
    ] = 0.0
    soft_cap: Annotated[
        float, Meta(ge=0, le=1e4, description="c tanh(logit / c): no logit is beyond this; 0: off")
    ] = 0.0
    heads: Annotated[int, Meta(ge=1, le=256, description="attention heads (gpt)")] = 4
    places: Annotated[
        Literal["rotary", "learned"],
        Meta(description="how attention knows positions: turned, or a learned table of `positions` (gpt)"),
    ] = "rotary"
    gelu: Annotated[
        Literal["tanh", "exact"],
        Meta(description="the GELU of the feed-forward parts; the originals have the exact one"),
    ] = "tanh"
    positions: Annotated[
        int,
        Meta(
            ge=1,
            le=1 << 20,
            description="learned positions, the longest context (originals v2, v3; gpt, learned)",
        ),
    ] = 1024
    memory: Annotated[
        Literal["outer", "hrr"],
        Meta(
            description="what binds a value to its key: outer: their outer product, slots x slots numbers; "
            "hrr: their circular convolution, slots numbers (memory)"
        ),
    ] = "outer"
    slots: Annotated[int, Meta(ge=2, le=4096, description="width of keys and values (memory)")] = 96
    start: Annotated[
        Literal["identity", "random"],
        Meta(description="first weights around the memory: a token is its own value and query, or random"),
    ] = "identity"
    dropout: Annotated[float, Meta(ge=0, lt=1, description="dropout in training (original v2)")] = 0.0

    @property
    def is_bounded(self) -> bool:
        """Whether a text may have `positions` tokens at most."""
        if self.kind in ("gpt", "bolted"):
            return self.places == "learned"
        return self.kind in ("kssm-v2-original", "kssm-v3-original", "kssm-v3-monostable")

    @property
    def settles(self) -> bool:
        """Whether a state is changed after every token, which no scan can do."""
        return self.feedback or self.latch > 0

    @property
    def can_reset(self) -> bool:
        """Whether what it remembers can begin anew inside of a sequence."""
        if self.kind == "kssm-v3":
            return self.dynamics != "mobius" and not self.settles
        return self.kind == "gated" or (self.kind == "gpt" and self.places != "learned")

    def __post_init__(self) -> None:
        if self.kind in ("kssm-v3", "bolted"):
            self._check_bank()
        if self.kind in ("kssm-v3", "bolted") and self.oscillators % self.group:
            raise ValueError(f"oscillators ({self.oscillators}) must be a multiple of group ({self.group})")
        if self.kind == "memory" and self.memory == "hrr" and self.slots % 2:
            raise ValueError(f"slots ({self.slots}) must be even with memory = hrr: they are complex numbers")
        if self.kind in ("gpt", "bolted") and (self.dim % self.heads or (self.dim // self.heads) % 2):
            raise ValueError(f"dim ({self.dim}) over heads ({self.heads}) must be an even whole number")

    def _check_bank(self) -> None:
        if self.feedback and not self.coupled:
            raise ValueError("feedback = true needs coupled = true: it is the coupling that is fed back")
        if self.feedback and self.k_max > 2:
            raise ValueError(
                f"feedback = true needs k_max <= 2, not {self.k_max:g}: more overshoots, and is chaotic"
            )
        if self.latch and self.dynamics != "mobius":
            raise ValueError(
                f"latch ({self.latch:g}) needs dynamics = mobius: with {self.dynamics} what is held fades"
            )
        if self.k_sign == "signed" and self.coupled and self.u == "off":
            raise ValueError("k_sign = signed needs a u: with u = off, K would be 0 everywhere")
