"""Logs that tell a metric a line, in blocks and boxes, and Lightning's rich bar. Numbers are made up."""

from tests.trainer.telemetry.formats.samples import Sample, e, m


def boxed(*rows: tuple[str, str], dash: int = 43) -> str:
    """A table as stable-baselines3 and Spinning Up draw it."""
    inner = "".join(f"| {name:<24} | {value:<12} |\n" for name, value in rows)
    return f"{'-' * dash}\n{inner}{'-' * dash}\n"


def sb3(steps: int, reward: str, loss: str) -> str:
    return boxed(
        ("rollout/", ""), ("   ep_len_mean", "22.4"), ("   ep_rew_mean", reward), ("time/", ""), ("   fps", "1120"),
        ("   iterations", str(steps // 2048)), ("   time_elapsed", "3"), ("   total_timesteps", str(steps)), ("train/", ""),
        ("   approx_kl", "0.0086"), ("   learning_rate", "0.0003"), ("   loss", loss), ("   policy_gradient_l...", "-0.0151"),
    )  # fmt: skip


def rsl(step: int, fields: str, tail: str, lead: str = " \x1b[1m", end: str = "\x1b[0m ") -> str:
    return f"{'#' * 80}\n{' ' * 22}{lead} Learning iteration {step}/1500 {end}{' ' * 20}\n\n{fields}{'-' * 80}\n{tail}\n"


def field(name: str, value: str, pad: int = 35) -> str:
    return f"{name + ':':>{pad}} {value}\n"


def rich_bar(epoch: str, done: int, metrics: str) -> str:
    return f"Epoch {epoch} ━━━━━━━━━━━━━━━━ {done}/8 0:00:0{done} • 0:00:00 27.33it/s {metrics}\n"


BLOCKS = [
    Sample(
        "boxed table",
        "Using cuda device\nWrapping the env in a DummyVecEnv.\n" + boxed(("rollout/", ""), ("   ep_len_mean", "22.4"),
        ("   ep_rew_mean", "22.4"), ("time/", ""), ("   fps", "1893"), ("   iterations", "1"), ("   total_timesteps", "2048"))
        + sb3(4096, "26.1", "6.32") + "Eval num_timesteps=5000, episode_reward=209.60 +/- 31.32\nEpisode length: 209.60 +/- 31.32\n"
        + boxed(("eval/", ""), ("   mean_ep_length", "210"), ("   mean_reward", "209.6"), ("time/", ""), ("   total_timesteps", "5000"))
        + "New best mean reward!\n" + sb3(6144, "34.9", "nan"),
        [
            m(2048, **{"rollout/ep_rew_mean": 22.4, "time/fps": 1893.0}), m(4096, **{"loss": 6.32, "train/approx_kl": 0.0086}),
            e(5000, **{"eval/mean_reward": 209.6, "eval/mean_ep_length": 210.0}), m(6144, **{"rollout/ep_rew_mean": 34.9}, loss=None),
        ],
    ),
    Sample(
        "boxed table",  # Spinning Up: the name at the right
        "".join(
            f"{'-' * 37}\n|             Epoch |{epoch:>16} |\n|      AverageEpRet |{ret:>16} |\n|          StdEpRet |             9.7 |\n"
            f"| TotalEnvInteracts |{4000 * (epoch + 1):>16} |\n|            LossPi |        {loss} |\n|              Time |            2.31 |\n"
            f"{'-' * 37}\n" for epoch, ret, loss in ((0, "19.7", "-1.2e-08"), (1, "24.5", "3.31e-09"))
        ),
        [m(4000, AverageEpRet=19.7, LossPi=-1.2e-8, Epoch=0.0), m(8000, AverageEpRet=24.5)],
    ),
    Sample(
        "boxed table",  # rlkit, garage: tabulate's plain table
        "".join(
            f"2031-01-02 03:04:05 | [rlkit] Epoch {epoch} finished\n----------------------------------  ----------------\n"
            f"replay_buffer/size                  {1000 + epoch}\ntrainer/QF1 Loss                    {loss}\n"
            f"evaluation/Average Returns          -80.25\ntime/total (s)                      5.4\nEpoch                               {epoch}\n"
            "----------------------------------  ----------------\n" for epoch, loss in ((0, 6.51), (1, 5.25), (2, 4.5))
        ),
        [m(0, **{"trainer/QF1 Loss": 6.51, "evaluation/Average Returns": -80.25}), m(1, **{"trainer/QF1 Loss": 5.25}), m(2)],
    ),
    Sample(
        "rsl_rl",
        "Setting seed: 42\n"
        + "".join(
            rsl(step, field("Computation", "46045 steps/s (collection: 0.975s, learning 0.092s)") + field("Value function loss", loss)
            + field("Surrogate loss", "-0.0096") + field("Mean action noise std", "0.99") + field("Mean reward", reward)
            + field("Mean episode length", "22.67") + field("Mean episode rew_tracking_lin_vel", "0.0042"),
            field("Total timesteps", str(98304 * (step + 1))) + field("Iteration time", "1.07s") + field("Total time", "2.01s") + field("ETA", "1603.8s"))
            for step, loss, reward in ((0, "0.0231", "-0.31"), (1, "0.0190", "-0.27"))
        ),
        [
            m(0, **{"Value function loss": 0.0231, "Mean reward": -0.31, "fps": 46045.0, "step_ms": 1070.0}),
            m(1, **{"Mean reward": -0.27, "Total timesteps": 196608.0, "Mean episode rew_tracking_lin_vel": 0.0042}),
        ],
    ),
    Sample(
        "rsl_rl",
        "".join(
            rsl(step, field("Total steps", "512 ", 40) + field("Steps per second", "1581 ", 40) + field("Collection time", "0.102s ", 40)
            + field("Mean value loss", loss, 40) + field("Mean surrogate loss", "-0.0076", 40) + field("Mean action std", "0.88", 40)
            + field("Metrics/peak_height_mean", "0.0066", 40),
            field("Iteration time", "0.16s", 40) + field("Time elapsed", "00:00:01", 40) + field("ETA", "1 day, 0:00:09", 40), "\x1b[1m", "\x1b[0m ")
            for step, loss in ((66, "0.4399"), (67, "nan"))
        ),
        [m(66, **{"Mean value loss": 0.4399, "Metrics/peak_height_mean": 0.0066}), m(67, **{"Mean value loss": None})],
    ),
    Sample(
        "rl_games",
        "Started to train\n"
        "fps step: 9120 fps step and policy inference: 8800 fps total: 7600 epoch: 1/500 frames: 0\n"
        "fps step: 9210 fps step and policy inference: 8810 fps total: 7610 epoch: 2/500 frames: 65536\n"
        "saving next best rewards:  [12.31]\n=> saving checkpoint 'runs/Ant/nn/Ant.pth'\n"
        "fps step: 9230 fps step and policy inference: 8820 fps total: 7620 epoch: 3/500 frames: 131072\n",
        [m(1, fps=7600.0, frames=0.0), m(2, fps=7610.0), m(2, best_reward=12.31), m(3, frames=131072.0)],
    ),
    Sample(
        "Ray Tune",
        "".join(
            f"Result for PPO_CartPole-v1_120b5_00000:\n  agent_timesteps_total: {4000 * n}\n  custom_metrics: {{}}\n  date: 2031-07-27_15-41-01\n"
            f"  done: false\n  episode_reward_mean: {reward}\n  hist_stats:\n    episode_lengths:\n    - 9\n    - 12\n  hostname: box.local\n"
            f"  info:\n    learner:\n      default_policy:\n        learner_stats:\n          policy_loss: -0.0349\n          total_loss: 8.86\n"
            f"  time_total_s: 3.5\n  training_iteration: {n}\n  trial_id: 120b5_00000\n  \n== Status ==\nMemory usage on this node: 9.1/31.2 GiB\n\n"
            for n, reward in ((1, 22.5), (2, 41.25))
        ),
        [
            m(1, episode_reward_mean=22.5, **{"info/learner/default_policy/learner_stats/total_loss": 8.86}),
            m(2, episode_reward_mean=41.25, agent_timesteps_total=8000.0),
        ],
    ),
    Sample(
        "Ray Tune",
        "".join(
            f"Trial train_{trial} finished iteration {n} at 2031-08-18 15:39:47. Total running time: 6s\n"
            f"╭{'─' * 40}╮\n│ Trial train_{trial} result{' ' * 15}│\n├{'─' * 40}┤\n│ checkpoint_dir_name{' ' * 20}│\n"
            f"│ time_this_iter_s              0.30     │\n│ training_iteration               {n}     │\n│ loss                        {loss}     │\n"
            f"╰{'─' * 40}╯\n"
            for n in (1, 2) for trial, loss in (("2d3a2_00000", f"0.{n}125"), ("2d3a2_00001", "7.5000"))
        ),
        [m(1, loss=0.1125), m(2, loss=0.2125)],
    ),
    Sample(
        "dictionary",
        "{'batch_size': 8,\n 'epochs': 3,\n 'optimizer': {'lr': 0.1, 'name': 'adam'}}\n"
        "{'epoch': 1,\n 'metrics': {'accuracy': 0.25, 'note': \"a 'word' }\"},\n 'train_loss': tensor(2.5, device='cuda:0'),\n 'val_loss': nan}\n"
        "Saving ...\n{'epoch': 2,\n 'metrics': {'accuracy': 0.5, 'note': ''},\n 'train_loss': np.float32(2.25),\n 'val_loss': 2.75}\n",
        [m(1, loss=2.5, accuracy=0.25), e(1, val_loss=None), m(2, loss=2.25), e(2, val_loss=2.75)],
    ),
    Sample(
        "dictionary",
        'Epoch done\n{\n  "step": 10,\n  "train": {\n    "loss": 2.5,\n    "lr": 0.001\n  }\n}\nok\n{\n  "step": 20,\n  "train": {\n    "loss": NaN,\n'
        '    "lr": 0.001\n  }\n}\n{"step": 30,\n "train": {"loss": 2.25}}\n',
        [m(10, loss=2.5), m(20, loss=None), m(30, loss=2.25)],
    ),
    Sample(
        "dictionary",
        "{'epoch': 1, 'train_loss': 0.75, 'val_acc': 0.5}\n{'epoch': 2, 'train_loss': 0.5, 'val_acc': 0.625}\n",
        [m(1, loss=0.75), e(1, val_acc=0.5), m(2, loss=0.5), e(2, val_acc=0.625)],
    ),
    Sample(
        "block of metrics",
        "Config:\n  lr: 0.1\n\nEpoch 1/3\n----------\n  Train Loss: 2.5\n  Train Acc:  51.25%\n  Val Loss:   2.75\n  LR: 1e-3\n  Time: 12.5s\n"
        "Checkpoint saved to out/epoch_1.pt\nEpoch 2/3\n----------\n  Train Loss: 2.25\n  Train Acc:  61.25%\n  Val Loss:   inf\n  LR: 1e-3\n",
        [m(1, loss=2.5, lr=1e-3, **{"Train Acc": 51.25}), e(1, val_loss=2.75), m(2, loss=2.25), e(2, val_loss=None)],
    ),
    Sample(
        "block of metrics",
        "=== Step 100/5000 (2.0%) ===\n- loss: 2.5 | grad_norm: 0.75\n- tokens/s: 12.5K\nValidation:\n- loss: 2.75 ± 0.01\n==========\n"
        "=== Step 200/5000 (4.0%) ===\n- loss: 2.25 | grad_norm: 0.5\n- tokens/s: 12.6K\n",
        [m(100, loss=2.5, grad_norm=0.75, tokens_per_s=12500.0), e(100, val_loss=2.75), m(200, loss=2.25)],
    ),
    Sample(
        "block of metrics",  # PyTorch's quickstart
        "Epoch 1\n-------------------------------\nloss: 2.303494  [   64/60000]\nloss: 2.294637  [ 6464/60000]\nTest Error: \n Accuracy: 50.9%, "
        "Avg loss: 1.886609 \n\nEpoch 2\n-------------------------------\nloss: 1.903494  [   64/60000]\nTest Error: \n Accuracy: 60.9%, Avg loss: 1.5 \n\nDone!\n",
        [
            m(1, loss=2.294637), e(1, **{"test_Accuracy": 50.9, "test_Avg loss": 1.886609}), m(2, loss=1.903494),
            e(2, test_Accuracy=60.9),
        ],
    ),
    Sample(
        "Lightning",
        "┏━━━┳━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━┓\n┃   ┃ Name ┃ Type       ┃ Params ┃\n┡━━━╇━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━┩\n"
        + rich_bar("0/1", 3, "v_num: 3.000 train_loss: 2.500") + rich_bar("0/1", 8, "v_num: 3.000")
        + " " * 60 + "train_loss: 2.100\n" + " " * 60 + "val_loss:\n" + " " * 60 + "2.200\n"
        + rich_bar("1/1", 8, "v_num: 3.000 train_loss: 1.900 val_loss: 2.000")
        + "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━┓\n┃        Test metric        ┃       DataLoader 0        ┃\n"
        "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━┩\n│         test_acc          │    0.9100000262260437     │\n"
        "│         test_loss         │          2.0500           │\n└───────────────────────────┴───────────────────────────┘\n",
        [
            m(8, loss=2.1), e(8, val_loss=2.2), m(16, loss=1.9), e(16, val_loss=2.0),
            e(16, test_acc=0.9100000262260437, test_loss=2.05),
        ],
    ),
    Sample(
        "Lightning",
        "\rEpoch 0: 100%|████| 8/8 [00:01<00:00,  6.10it/s, v_num=1, train_loss=2.5]\n\rEpoch 1: 100%|████| 8/8 [00:01<00:00,  6.10it/s, "
        "v_num=1, train_loss=2.25]\n" + "─" * 72 + "\n       Test metric             DataLoader 0             DataLoader 1\n" + "─" * 72
        + "\n        test_loss            2.299999952316284           2.4500000\n" + "─" * 72 + "\n",
        [
            m(8, loss=2.5), m(16, loss=2.25),
            e(16, **{"test_loss/dataloader_idx_0": 2.299999952316284, "test_loss/dataloader_idx_1": 2.45}),
        ],
    ),
]  # fmt: skip
