"""What a command on this machine gets of the caller's environment, and what of it is kept with the run."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from trainer.run.process.process_record import RUN_VARIABLES
from trainer.run.secrets import is_secret_name, is_secret_value

# What a later attempt needs to find the same programs, libraries, devices and caches, in the same language.
KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|COLORTERM|NO_COLOR|TMPDIR|TEMP|TMP|PWD"
    r"|MANPATH|PKG_CONFIG_PATH|CPATH|(?:C|CPLUS)_INCLUDE_PATH|LIBRARY_PATH|LD_LIBRARY_PATH|LD_PRELOAD"
    r"|DYLD_[A-Z_]+|CC|CXX|XDG_[A-Z]+(?:_[A-Z]+)?|VIRTUAL_ENV|VIRTUAL_ENV_PROMPT|PYENV_[A-Z_]+|UV_[A-Z_]+"
    r"|CONDA_[A-Z_0-9]+|MAMBA_[A-Z_]+|PYTHON[A-Z]+|MODULEPATH|LOADEDMODULES|_LMFILES_|LMOD_[A-Z_]+"
    r"|CUDA_[A-Z_0-9]+|CUDNN_[A-Z_]+|NVIDIA_[A-Z_]+|NCCL_[A-Z_0-9]+|HIP_[A-Z_]+|ROCR?_[A-Z_]+|HSA_[A-Z_]+"
    r"|OMP_[A-Z_]+|GOMP_[A-Z_]+|KMP_[A-Z_]+|MKL_[A-Z_]+|OPENBLAS_[A-Z_]+|BLIS_[A-Z_]+|VECLIB_[A-Z_]+"
    r"|NUMEXPR_[A-Z_]+|TORCH_?[A-Z_]+|PYTORCH_[A-Z_]+|TRITON_[A-Z_]+|ATEN_[A-Z_]+|JAX_[A-Z_]+|XLA_[A-Z_]+"
    r"|TF_[A-Z_0-9]+|KERAS_[A-Z_]+|TOKENIZERS_PARALLELISM|HF_[A-Z_]+|HUGGINGFACE_HUB_CACHE|TRANSFORMERS_[A-Z_]+"
    r"|WANDB_[A-Z_]+|MLFLOW_[A-Z_]+|ACCELERATE_[A-Z_]+|DEEPSPEED_[A-Z_]+|MASTER_(?:ADDR|PORT)|WORLD_SIZE|RANK"
    r"|LOCAL_RANK|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|[A-Za-z]+_PROXY|[a-z]+_proxy"
)


@dataclass(frozen=True, slots=True)
class Inherited:
    """The caller's variables.

    Attributes:
        kept: stored in the run's spec, so that a later attempt has them.
        passing: given to the attempt that is started, and stored nowhere.
    """

    kept: Mapping[str, str] = field(default_factory=dict)
    passing: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """What is stored, and what is not, in a sentence or two; names alone."""
        kept = f"{len(self.kept)} variables of this shell are stored with the run for a resume"
        if not self.passing:
            return kept
        return f"{kept}; given to this attempt only: {_some(self.passing)} (--env NAME=VALUE stores one)"


def inherited(env: Mapping[str, str] = os.environ) -> Inherited:
    """Sort the variables: kept is what stands in a list and looks like no secret."""
    kept: dict[str, str] = {}
    passing: dict[str, str] = {}
    for name, value in env.items():
        if name in RUN_VARIABLES or name == "PHOTINUS_HOME" or not value.isprintable():
            continue
        is_kept = KEPT.fullmatch(name) and not is_secret_name(name) and not is_secret_value(value)
        (kept if is_kept else passing)[name] = value
    return Inherited(kept, passing)


def _some(names: Mapping[str, str], most: int = 8) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more
