"""The formats of logs that are known, the more telling ones first: a file beside this, and a line here."""

from collections.abc import Callable

from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.frameworks.deepspeed import DeepSpeed
from trainer.telemetry.formats.frameworks.fairseq import Fairseq
from trainer.telemetry.formats.frameworks.fastai import Fastai
from trainer.telemetry.formats.frameworks.hf_trainer import HfTrainer
from trainer.telemetry.formats.frameworks.keras import Keras
from trainer.telemetry.formats.frameworks.litgpt import LitGpt
from trainer.telemetry.formats.frameworks.megatron import Megatron
from trainer.telemetry.formats.frameworks.mlx_lora import MlxLora
from trainer.telemetry.formats.frameworks.nanotron import Nanotron
from trainer.telemetry.formats.frameworks.ray_tune import RayTune
from trainer.telemetry.formats.frameworks.rl_games import RlGames
from trainer.telemetry.formats.frameworks.rsl_rl import RslRl
from trainer.telemetry.formats.frameworks.torchtitan import TorchTitan
from trainer.telemetry.formats.frameworks.vision_meters import VisionMeters
from trainer.telemetry.formats.generic.boxed_table import BoxedTable
from trainer.telemetry.formats.generic.csv_table import CsvTable
from trainer.telemetry.formats.generic.dict_block import DictBlock
from trainer.telemetry.formats.generic.json_lines import JsonLines
from trainer.telemetry.formats.generic.key_value import KeyValue
from trainer.telemetry.formats.generic.lightning_bar import LightningBar
from trainer.telemetry.formats.generic.metric_block import MetricBlock
from trainer.telemetry.formats.generic.step_lines import StepLines
from trainer.telemetry.formats.generic.tqdm_postfix import TqdmPostfix
from trainer.telemetry.formats.kssm.kssm_v1 import KssmV1
from trainer.telemetry.formats.kssm.kssm_v2 import KssmV2
from trainer.telemetry.formats.kssm.kssm_v3 import KssmV3
from trainer.telemetry.formats.scripts.build_nanogpt import BuildNanoGpt
from trainer.telemetry.formats.scripts.llmc import LlmC
from trainer.telemetry.formats.scripts.modded_nanogpt import ModdedNanoGpt
from trainer.telemetry.formats.scripts.nanochat import NanoChat
from trainer.telemetry.formats.scripts.nanogpt import NanoGpt

FORMATS: tuple[Callable[[], Format], ...] = (
    KssmV3,
    KssmV2,
    KssmV1,
    NanoGpt,
    BuildNanoGpt,
    NanoChat,
    ModdedNanoGpt,
    LlmC,
    LitGpt,
    TorchTitan,
    Megatron,
    Nanotron,
    Fairseq,
    MlxLora,
    HfTrainer,
    Keras,
    Fastai,
    LightningBar,
    TqdmPostfix,
    DeepSpeed,
    RslRl,
    RlGames,
    RayTune,
    VisionMeters,
    BoxedTable,
    CsvTable,
    JsonLines,
    DictBlock,
    KeyValue,
    StepLines,
    MetricBlock,
)
