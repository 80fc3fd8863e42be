"""Which files make up one run: the output folders of the frameworks, by their names alone."""

from remote.protocol.results import FoundFile
from remote.session.watching.training_files import TrainingFiles, training_files


def found(*names: str, later: str = "") -> list[FoundFile]:
    return [
        FoundFile(path=f"/out/{name}", bytes=10, at=1200.0 if name == later else 1000.0, folder="/out")
        for name in names
    ]


def told(files: list[FoundFile]) -> list[tuple[str, str, tuple[str, ...], str]]:
    def short(path: str) -> str:
        return path.removeprefix("/out/")

    return sorted(
        (short(run.place), run.what, tuple(map(short, run.metrics)), short(run.log))
        for run in training_files(files)
    )


def test_files_that_were_named_are_a_run_each_and_event_files_of_a_folder_one() -> None:
    files = [
        FoundFile(path=path, bytes=1, at=at)
        for path, at in (
            ("/a/train.log", 1.0), ("/b/metrics.csv", 3.0), ("/c/trainer_state.json", 2.0),
            ("/d/events.out.tfevents.1.h.1.0", 4.0), ("/d/events.out.tfevents.2.h.2.0", 5.0),
        )
    ]  # fmt: skip
    state = "/c/trainer_state.json"
    assert training_files(files) == [
        TrainingFiles(
            "/d", "TensorBoard run", tuple(file.path for file in files[3:]), "", False, 2, 5.0
        ),
        TrainingFiles("/b/metrics.csv", "log", (), "/b/metrics.csv", False, 1, 3.0),
        TrainingFiles(state, "trainer_state.json", (state,), "", False, 1, 2.0),
        TrainingFiles("/a/train.log", "log", (), "/a/train.log", False, 1, 1.0),
    ]  # fmt: skip


def test_an_output_folder_of_the_hf_trainer_is_one_run_by_its_furthest_state() -> None:
    files = found(
        "checkpoint-500/trainer_state.json", "checkpoint-1000/trainer_state.json", "all_results.csv",
        "runs/Dec01_box/events.out.tfevents.1.box.1.0", "train.log", "requirements.txt",
    )  # fmt: skip
    assert told(files) == [
        ("/out", "Hugging Face output", ("checkpoint-1000/trainer_state.json",), "train.log")
    ]
    event = "runs/Dec01_box/events.out.tfevents.1.box.1.0"
    live = found("checkpoint-500/trainer_state.json", event, later=event)
    assert told(live) == [("/out", "Hugging Face output", (event,), "")]
    done = found("checkpoint-500/trainer_state.json", "trainer_state.json")
    assert told(done)[0][2] == ("trainer_state.json",)


def test_runs_of_lightning_ultralytics_and_tensorboard_are_one_a_folder() -> None:
    files = found(
        "lightning_logs/version_0/metrics.csv", "lightning_logs/version_0/hparams.yaml",
        "lightning_logs/version_1/events.out.tfevents.5", "lightning_logs/version_1/hparams.yaml",
        "runs/detect/train/results.csv", "runs/detect/train/args.yaml",
        "runs/detect/train2/results.csv", "runs/detect/train2/args.yaml",
        "runs/a/events.out.tfevents.1", "runs/b/events.out.tfevents.2",
    )  # fmt: skip
    assert [(place, what) for place, what, _, _ in told(files)] == [
        ("lightning_logs/version_0", "Lightning logs"),
        ("lightning_logs/version_1", "TensorBoard run"),
        ("runs/a", "TensorBoard run"),
        ("runs/b", "TensorBoard run"),
        ("runs/detect/train", "Ultralytics run"),
        ("runs/detect/train2", "Ultralytics run"),
    ]


def test_a_run_directory_of_ours_tells_its_events_and_its_newest_log() -> None:
    files = found(
        "x-abcdef/spec.json",
        "x-abcdef/state.json",
        "x-abcdef/events.jsonl",
        "x-abcdef/log/001.log",
        "x-abcdef/supervisor.log",
    )
    (run,) = training_files(files)
    assert (run.place, run.what, run.is_ours) == ("/out/x-abcdef", "run directory", True)
    assert (run.metrics, run.log) == (("/out/x-abcdef/events.jsonl",), "/out/x-abcdef/log/001.log")
    command = found("spec.json", "state.json", "log/001.log", "log/002.log", later="log/002.log")
    (run,) = training_files(command)
    assert (run.place, run.is_ours, run.metrics, run.log) == ("/out", False, (), "/out/log/002.log")


def test_loose_files_of_a_folder_are_a_run_each_and_none_is_lost() -> None:
    names = ("a.log", "b.log", "c.csv", "d.jsonl", "e.txt", "events.out.tfevents.1")
    assert [place for place, _, _, _ in told(found(*names))] == [*sorted(["/out", *names[:-1]])]
    assert told(found("ckpt.pt.log")) == [("ckpt.pt.log", "log", (), "ckpt.pt.log")]
    assert told(found("spec.json", "args.yaml")) == []


def test_the_output_folder_of_nanogpt_is_a_run_where_a_log_lies_in_it() -> None:
    assert told(found("ckpt.pt", "train.log")) == [("/out", "nanoGPT output", (), "train.log")]
    assert told(found("ckpt.pt")) == []
    assert [run[1] for run in told(found("ckpt.pt", "a.log", "b.log"))] == ["log", "log"]
