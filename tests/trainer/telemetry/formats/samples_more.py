"""Logs of the formats that draw bars, print dictionaries or write tables, with what must be found in them."""

from tests.trainer.telemetry.formats.samples import Sample, bar, e, m


def redraw(epoch: str, done: int, total: int, postfix: str) -> str:
    return f"{bar(done, total)[:-1]}, {postfix}]".replace("\r", f"\r{epoch}: ")


KSSM_ROW = "{step:6d} | {total:7.3f} |   2.915 |  0.6477 | 0.0471 |   1.043 |    1.334"


def keras(done: int, total: int, fields: str) -> str:
    return f"\x08\x08\x08\x08\r\x1b[1m{done}/{total}\x1b[0m \x1b[32m━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m2s\x1b[0m 40ms/step - {fields}"


MORE_SAMPLES = [
    Sample(
        "kssm-v3",
        "\ufeff\x1b[1m  Step |   Total |      CE |     Reg |       R |   u_val | GradNorm\x1b[0m\n"
        f"[rank0]: {KSSM_ROW.format(step=20, total=9.5)}\n[rank1]: {KSSM_ROW.format(step=20, total=9.7)}\n"
        f"{bar(40, 90)}\r{' ' * 40}\r{KSSM_ROW.format(step=40, total=8.5)}\n"
        f"{bar(60, 90)}{KSSM_ROW.format(step=60, total=7.5)}\r\n"
        f"2031-01-02 03:04:05,006 - root - INFO - {KSSM_ROW.format(step=80, total=6.5)}\n",
        [m(20, total=9.5, ce=2.915, R=0.0471), m(40, total=8.5), m(60, total=7.5), m(80, total=6.5)],
    ),
    Sample(
        "HF Trainer",
        "{'batch_size': 2, 'learning_rate': 0.0002, 'epochs': 3}\n"
        f"{bar(9, 40)}{bar(10, 40)}\r{' ' * 40}\r{{'loss': '2.1', 'grad_norm': nan, 'learning_rate': '1e-04', 'epoch': '0.5'}}\n"
        f"{bar(10, 40)}{bar(20, 40)}{{'loss': 1.9, 'grad_norm': 0.5, 'learning_rate': 5e-05, 'epoch': 1.0}}\n"
        f"{bar(20, 40)}{bar(2, 4)}{bar(4, 4)}\r{{'eval_loss': 1.95, 'eval_runtime': 3.0, 'epoch': 1.0}}\n"
        f"{bar(29, 40)}{bar(30, 40)}\n{{'loss': 1.5, 'reward': 0.25, 'epoch': 1.5}}\n"
        "{'train_runtime': 60.0, 'train_samples_per_second': 1.0, 'train_loss': 1.8, 'epoch': 1.5}\n",
        [
            m(10, loss=2.1, grad_norm=None, lr=1e-4, epoch=0.5), m(20, loss=1.9), e(20, val_loss=1.95, epoch=1.0),
            m(30, loss=1.5, reward=0.25),
        ],
    ),
    Sample(
        "HF Trainer",
        "{'loss': '3.1', 'learning_rate': '1e-05', 'epoch': '0.2'}\n" + bar(2, 10)
        + "\n{'loss': '2.9', 'learning_rate': '2e-05', 'epoch': '0.4'}\n" + bar(4, 10)
        + "\n{'loss': '2.8', 'learning_rate': '3e-05', 'epoch': '0.6'}\n" + bar(6, 10) + "\n",
        [m(2, loss=3.1), m(4, loss=2.9), m(6, loss=2.8)],
    ),
    Sample(
        "HF Trainer",
        "***** Running training *****\n  Num Epochs = 2\n  Total optimization steps = 48\n"
        "{'loss': 3.1, 'learning_rate': 1e-05, 'epoch': 0.5}\n{'loss': 2.9, 'learning_rate': 2e-05, 'epoch': 1.0}\n",
        [m(12, loss=3.1), m(24, loss=2.9)],
    ),
    Sample(
        "HF Trainer",
        "{'loss': 3.1, 'token_acc': 0.5, 'epoch': 0.01, 'global_step/max_steps': '1/40', 'percentage': '2.50%'}\n"
        "{'loss': 2.9, 'token_acc': 0.6, 'epoch': 0.02, 'global_step/max_steps': '5/40', 'percentage': '12.50%'}\n",
        [m(1, loss=3.1, token_acc=0.5), m(5, loss=2.9)],
    ),
    Sample(
        "Lightning",
        "0 | net   | Sequential | 25.8 K\n" + redraw("Sanity Checking", 1, 2, "v_num=3")
        + redraw("Epoch 0", 4, 8, "v_num=3, train_loss_step=2.500") + redraw("Epoch 0", 8, 8, "v_num=3, train_loss_step=2.100")
        + redraw("Validation DataLoader 0", 2, 2, "v_num=3")
        + redraw("Epoch 0", 8, 8, "v_num=3, train_loss_step=2.100, val_loss=2.200")
        + "\n" + redraw("Epoch 1", 8, 8, "v_num=3, train_loss_step=1.900, val_loss=2.000")
        + "`Trainer.fit` stopped: `max_epochs=2` reached.\n",
        [m(8, loss=2.1), e(8, val_loss=2.2), m(16, loss=1.9), e(16, val_loss=2.0)],
    ),
    Sample(
        "tqdm",
        "model.safetensors: 100%|██████████| 3.1G/3.1G [00:10<00:00, 301MB/s]\n"
        + redraw("Epoch 1/2", 1, 3, "loss=0.9, lr=2e-05") + redraw("Epoch 1/2", 3, 3, "loss=0.7, lr=2e-05")
        + redraw("Validation", 2, 2, "loss=0.8") + redraw("Epoch 2/2", 2, 3, "loss=0.6, lr=1e-05")
        + redraw("Epoch 2/2", 3, 3, "loss=0.5, lr=1e-05") + "\n",
        [m(3, loss=0.7, lr=2e-5), m(6, loss=0.5)],
    ),
    Sample(
        "Keras",
        "Epoch 1/2\n" + keras(1, 8, "accuracy: 0.1000 - loss: 2.5000") + keras(8, 8, "accuracy: 0.2000 - loss: 2.4000")
        + keras(8, 8, "accuracy: 0.2100 - loss: 2.3000 - val_accuracy: 0.2500 - val_loss: 2.1000") + "\nEpoch 2/2\n"
        + keras(8, 8, "accuracy: 0.3100 - loss: 9.1000e-05 - val_accuracy: 0.3500 - val_loss: 1.9000") + "\n",
        [
            m(1, loss=2.3, accuracy=0.21, step_ms=40.0), e(1, val_loss=2.1, val_accuracy=0.25), m(2, loss=9.1e-5),
            e(2, val_loss=1.9),
        ],
    ),
    Sample(
        "Keras",
        "Epoch 1/2\n100/100 [==============================] - ETA: 0s - loss: 1.5000\n"
        "100/100 [==============================] - 3s 30ms/step - loss: 1.4000\nEpoch 2/2\n"
        "100/100 - 2s - loss: 1.2000 - 2s/epoch - 21ms/step\n",
        [m(1, loss=1.4), m(2, loss=1.2)],
    ),
    Sample(
        "fastai",
        "epoch     train_loss  valid_loss  accuracy  time    \n0         1.507166    1.400000    #na#      00:10     \n"
        "1         0.750641    nan         0.150000  1:01:01   \n"
        "epoch     train_loss  valid_loss  accuracy  time    \n0         0.550641    0.600000    0.650000  00:11     \n",
        [
            m(0, loss=1.507166), e(0, val_loss=1.4), m(1, loss=0.750641), e(1, val_loss=None, accuracy=0.15),
            m(0, loss=0.550641), e(0, val_loss=0.6),
        ],
        (1, 1, 1, 1, 2, 2),
    ),
    Sample(
        "key=value",
        "[train] starting with lr=0.1 epochs=3 loss=cross_entropy\nMETRIC file=a/b.py\nMETRIC gap=0.25\n"
        "[bold green]Epoch 1/9[/bold green]  train_loss=1.5 acc=0.5  val_loss=1.6 acc=0.4\n"
        "2031-01-02 03:04:05,006 INFO Epoch 2/9, train_loss=1.4, acc=0.6, val_loss=1.5, acc=0.45\n",
        [
            m(1, gap=0.25), m(1, loss=1.5, acc=0.5), e(1, val_loss=1.6, val_acc=0.4), m(2, loss=1.4, acc=0.6),
            e(2, val_loss=1.5, val_acc=0.45),
        ],
    ),
    Sample(
        "key=value",
        "step=1 | loss=2.5 | lr=1e-3\nstep=2 | loss=nan | lr=1e-3\nstep=1 | loss=2.4 | lr=1e-3\n",
        [m(1, loss=2.5, lr=1e-3), m(2, loss=None), m(1, loss=2.4)],
        (1, 1, 2),
    ),
    Sample(
        "JSON lines",
        '{"event": "config", "lr": 0.1, "steps": 9, "loss": "mse"}\n{"step": 1, "train": {"loss": 2.5}, "lr": 0.1}\n'
        '{"step": 2, "metrics": {"loss": NaN}, "note": "x"}\n{"step": 2, "eval": {"loss": 2.25}}\n{"step": 3, "lo',
        [m(1, loss=2.5, lr=0.1), m(2, loss=None), e(2, val_loss=2.25)],
    ),
    Sample(
        "CSV",
        "epoch,step,train_loss_epoch,train_loss_step,val_loss\r\n0,9,,2.5,\r\n0,19,,,2.4\r\n0,19,2.6,,\r\n1,29,,2.3,\r\n1,3",
        [m(9, loss=2.5, epoch=0.0), e(19, val_loss=2.4), m(19, train_loss_epoch=2.6), m(29, loss=2.3)],
    ),
    Sample(
        "CSV",
        "                  epoch,         train/box_loss,   metrics/mAP50(B),           val/box_loss,                 lr/pg0\n"
        "                      1,                    2.5,              0.125,                    2.6,                   0.01\n"
        "                      2,                    2.4,               0.25,                    inf,                   0.02\n",
        [
            m(1, **{"train/box_loss": 2.5, "lr": 0.01}), e(1, **{"metrics/mAP50(B)": 0.125, "val/box_loss": 2.6}),
            m(2, lr=0.02), e(2, **{"val/box_loss": None}),
        ],
    ),
    Sample(
        "trainer_state.json",
        '{\n "global_step": 20,\n "max_steps": 40,\n "log_history": [\n  {"epoch": 0.5, "loss": 2.5, "step": 10},\n'
        '  {"epoch": 0.5, "eval_a_loss": 2.6, "step": 10},\n  {"epoch": 1.0, "loss": 2.4, "grad_norm": NaN, "step": 20},\n'
        '  {"epoch": 1.0, "train_loss": 2.4, "train_runtime": 9.0, "step": 20}\n ]\n}\n',
        [m(10, loss=2.5, epoch=0.5), e(10, eval_a_loss=2.6), m(20, loss=2.4, grad_norm=None)],
    ),
    Sample(
        "JSON history",
        '[{"epoch": 1, "train_loss": 2.5, "val_loss": 6.9, "val_perplexity": 992.3, "R_mean": 0.14, "tone": "x"},'
        ' {"epoch": 2, "train_loss": 2.4, "val_loss": 7.1, "val_perplexity": 1212.0, "R_mean": 0.15, "tone": "x"}]',
        [m(1, loss=2.5, R=0.14), e(1, val_loss=6.9, val_ppl=992.3), m(2, loss=2.4), e(2, val_loss=7.1)],
    ),
    Sample(
        "JSON history",
        '{"step": [1, 2], "loss": [9.5, 9.25], "R": [0.5, NaN], "tone": ["a", "b"], "perplexity": [1.5, 2]}',
        [m(1, loss=9.5, R=0.5, ppl=1.5), m(2, loss=9.25, R=None)],
    ),
]  # fmt: skip
