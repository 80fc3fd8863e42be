"""Further logs of scripts and frameworks, as their other versions and launchers write them. Numbers are made up."""

from tests.trainer.telemetry.formats.samples import Sample, e, m

MEGATRON = (
    "iteration {step:8d}/  250000 | consumed samples: {samples:12d} | elapsed time per iteration (ms): 1391.4 | "
    "learning rate: 1.507E-05 | global batch size:  1024 | lm loss: {loss} | loss scale: 1.0 | grad norm: 0.811 | "
    "number of skipped iterations:   0 | number of nan iterations:   0 |"
)


def megatron(step: int, loss: str, lead: str = " ") -> str:
    return lead + MEGATRON.format(step=step, samples=16 * step, loss=loss) + "\n"


SCRIPT_VARIANTS = [
    Sample(
        "nanoGPT",
        "iter 30: loss 4.0863, time 561.94ms\niter 31: loss 3.7441, time 1063.15ms\r\nstep 40: train loss 3.9, val loss 4.0\r\n",
        [m(30, loss=4.0863, step_ms=561.94), m(31, loss=3.7441), e(40, val_loss=4.0)],
    ),
    Sample(
        "nanoGPT",
        "[rank0]: iter 0: loss 10.9887, time 42000.11ms, mfu -100.00%\n2031-05-01T10:00:00.123456789Z iter 10: loss 9.1, "
        "time 3300.01ms, mfu 31.20%\n2031-05-01T10:00:09.123456789Z iter 20: loss 8.1, time 3300.01ms, mfu 31.20%\n",
        [m(0, loss=10.9887, mfu=None), m(10, loss=9.1), m(20, loss=8.1)],
    ),
    Sample(
        "nanoGPT",
        "step 0: train loss 10.9, val loss 10.9\n0 | loss 10.9012 | lr 0.000000e+00 | 41000.10ms | mfu -100.00%\n"
        "10 | loss 9.8012 | lr 5.000000e-06 | 8103.30ms | mfu 0.21%\nsaving checkpoint to out\nwrote out/model.bin\n"
        "step 20: train loss 8.7, val loss 8.9\n20 | loss 8.8 | lr 1.000000e-05 | 8113.30ms | mfu 0.20%\n",
        [
            e(0, val_loss=10.9), m(0, loss=10.9012, lr=0.0, mfu=None), m(10, loss=9.8012, lr=5e-6, step_ms=8103.3, mfu=0.21),
            e(20, val_loss=8.9), m(20, loss=8.8),
        ],
    ),
    Sample(
        "nanochat",
        "step 00004/21400 (0.02%) | loss: 8.893647 | lrm: 1.00 | dt: 989.44ms | tok/sec: 529,882 | mfu: 74.13* | "
        "total time: 0.00m\nstep 00005/21400 (0.02%) | loss: 8.530593 | grad norm: 0.5123 | lrm: 1.00 | dt: 991.09ms | "
        "tok/sec: 529,000 | bf16_mfu: 74.00 | epoch: 1 pq: 0 rg: 64 | total time: 0.00m | eta: 371.5m\n"
        "Step 00250 | Validation bpb: 1.2345\nStep 00250 | CORE metric: 0.0512\n",
        [
            m(4, loss=8.893647, mfu=74.13, tokens_per_s=529882.0), m(5, loss=8.530593, grad_norm=0.5123, mfu=74.0),
            e(250, val_bpb=1.2345), e(250, **{"CORE metric": 0.0512}),
        ],
    ),
    Sample(
        "nanochat",
        "Step 0/467 | Average reward: 0.0625 | Average sequence length: 201.44\n"
        "Step 0 | Pass@1: 0.0312, Pass@2: 0.0612\nStep 1/467 | Average reward: 0.125 | Average sequence length: 190.0\n",
        [m(0, **{"Average reward": 0.0625}), e(0, **{"Pass@1": 0.0312, "Pass@2": 0.0612}), m(1, **{"Average reward": 0.125})],
    ),
    Sample(
        "modded-nanogpt",
        "s:0 tel:10.9\nstep:0/1750 val_loss:10.8258 train_time:0ms step_avg:0.03ms\nstep:1/1750 train_time:89ms step_avg:89.10ms\n"
        "step:2/1750 train_time:145ms step_avg:72.60ms\nstep:125/1750 val_loss:4.6 train_time:9012ms step_avg:72.10ms\n",
        [e(0, val_loss=10.8258), m(1, step_ms=89.1), m(2, step_ms=72.6), e(125, val_loss=4.6)],
    ),
    Sample(
        "modded-nanogpt",
        "step:0/5100 | val loss 10.9863\nstep:1/5100 | loss 10.9812 | train_time:0.3s | step_avg:nanms\n"
        "step:128/5100 val_loss:6.5812 train_time:18.1s step_avg:153.10ms\nstep:129/5100 train_loss:6.5 train_time:18.2s step_avg:153.1ms\n",
        [e(128, val_loss=6.5812, train_time_s=18.1), m(129, loss=6.5)],
    ),
    Sample(
        "llm.c",
        "val loss 11.009\nstep    1/73300 | train loss 10.981842 | norm 15.3942 | lr 8.57e-07 | (3405.23 ms | 153962 tok/s)\n"
        "step    2/73300 | train loss 10.961842 | norm 15.1 | lr 1.71e-06 | (3105.23 ms | 168000 tok/s)\nval loss 10.905\n",
        [m(1, loss=10.981842, lr=8.57e-7, step_ms=3405.23, tokens_per_s=153962.0), m(2, loss=10.961842)],
    ),
    Sample(
        "llm.c",
        "val loss 5.325529\nstep 0: train loss 4.677779 (took 1987.546000 ms)\nstep 1: train loss 5.191576 (took 1927.230000 ms)\n"
        "step 2: train loss 4.438685 (took 1902.987000 ms)\n",
        [m(0, loss=4.677779, step_ms=1987.546), m(1, loss=5.191576), m(2, loss=4.438685)],
    ),
    Sample(
        "llm.c",
        "step    1/9 | loss 10.9 (+nanz)| norm 15.4 (+nanz)| lr 8.57e-07 | 3096.37 ms | -1.0% bf16 MFU | 1693 tok/s\n"
        "step    2/9 | loss 10.1 (-0.11z)| norm 9.1 (+1.00z)| lr 1.71e-06 | 3101.00 ms | 49.5% bf16 MFU | 169091 tok/s\n"
        "step    3/9 | loss inf (+infz)| norm inf (+infz)| lr 1.71e-06 | 3101.00 ms | 49.5% bf16 MFU | 169091 tok/s\n",
        [m(1, loss=10.9), m(2, mfu=49.5), m(3, loss=None, grad_norm=None)],
    ),
]  # fmt: skip

FRAMEWORK_VARIANTS = [
    Sample(
        "litgpt",
        "Epoch 34 | iter 3050700 step 610140 | loss train: 2.846, val: 2.861 | iter time: 112.20 ms (step) remaining time: 0:01:54\n"
        "Epoch 34 | iter 3050750 step 610150 | loss train: nan, val: 2.861 | iter time: 111.35 ms (step) remaining time: 0:01:49\n",
        [m(3050700, loss=2.846, epoch=34.0, step_ms=112.2), m(3050750, loss=None)],
    ),
    Sample(
        "litgpt",
        "iter 1760 | step 220: loss 1.5947, iter time: 263.85 ms (optimizer.step)\niter 4800: val loss 1.7258, val time: 3778.02 ms\n"
        "iter 4810 | step 601: loss 0.2745, iter time: 131.68 ms\n",
        [m(1760, loss=1.5947, optimizer_step=220.0, step_ms=263.85), e(4800, val_loss=1.7258), m(4810, loss=0.2745)],
    ),
    Sample(
        "litgpt",
        "iter 0 step 1: loss 8.9612, iter time: 1263.85ms (optimizer.step)\niter 1 step 1: loss 8.9512, iter time: 131.68ms\n"
        "step 2: val loss 8.7258, val time: 3778.02ms\n",
        [m(0, loss=8.9612, optimizer_step=1.0, step_ms=1263.85), m(1, loss=8.9512), e(2, val_loss=8.7258)],
    ),
    Sample(
        "torchtitan",
        "[rank0]:2031-06-16 22:30:48,735 - root - INFO - \x1b[36mstep:  1  \x1b[32mloss: 12.2503  \x1b[33mmemory:  0.00GiB(0.00%)  "
        "\x1b[34mwps: 5,856  \x1b[35mmfu: 32.75%\x1b[39m\n[rank0]:2031-06-16 22:30:58,735 - root - INFO - step: 10  loss: -0.5  "
        "memory: 49.66GiB(52.28%)  wps: 5,593  mfu: 32.75%\n",
        [m(1, loss=12.2503, wps=5856.0, mfu=32.75), m(10, loss=-0.5)],
    ),
    Sample(
        "torchtitan",
        "[titan] 2031-06-16 22:30:48,735 - root - INFO - step:  1  loss:  8.13541  grad_norm:  nan  memory:  3.00GiB(3.16%)  tps: 256  "
        "tflops: 0.02  mfu: 0.00%\n[titan] 2031-06-16 22:30:48,735 - root - INFO - step:  2  loss:  nan  grad_norm:  nan  "
        "memory:  3.00GiB(3.16%)  tps: 10,256  tflops: 0.72  mfu: N/A\n",
        [m(1, loss=8.13541, grad_norm=None, tokens_per_s=256.0), m(2, loss=None)],
    ),
    Sample(
        "torchtitan",
        "8:[rank8]: [titan] 2031-06-16 22:30:48,735 - root - INFO - step: 20  loss: 4.1  grad_norm: 1.0  memory: 3.00GiB(3%)  "
        "tps: 1  tflops: 2  mfu: 3%\n8:[rank8]: [titan] 2031-06-16 22:30:58,735 - root - INFO - step: 30  loss: 4.0  grad_norm: 1.0  "
        "memory: 3.00GiB(3%)  tps: 1  tflops: 2  mfu: 3%\n",
        [m(20, loss=4.1), m(30, loss=4.0)],
    ),
    Sample(
        "Megatron",
        megatron(201, "2.373574E+00") + megatron(202, "2.413736E+00") + "-" * 50 + "\n"
        " validation loss at iteration 202 | lm loss value: 2.500000E+00 | lm loss PPL: 1.218249E+01 | \n" + "-" * 50 + "\n",
        [m(201, loss=2.373574, grad_norm=0.811), m(202, loss=2.413736), e(202, val_loss=2.5, val_ppl=12.18249)],
    ),
    Sample(
        "Megatron",
        " [2031-04-06 02:59:36.123456] iteration       43/     100 | consumed samples:         5504 | elapsed time per iteration (ms): "
        "5444.9 | throughput per GPU (TFLOP/s/GPU): 239.8 | learning rate: 8.600000E-06 | global batch size:   128 | lm loss: "
        "1.825991E+00 | load_balancing_loss: 1.019746E+00 | loss scale: 1.0 | grad norm: 1.426 | num zeros: 0.0 | params norm: 210.1 | "
        "number of skipped iterations:   0 | number of nan iterations:   0 |\n"
        "(min, max) time across ranks (ms):\n    evaluate .......................................: (3000.1, 3000.2)\n"
        "-----\n validation loss at iteration 43 on test set | lm loss value: 1.9E+00 | lm loss PPL: 6.6E+00 | \n----\n"
        " [2031-04-06 02:59:41] iteration       44/     100 | consumed samples:         5632 | elapsed time per iteration (ms): 5533.8 | "
        "learning rate: 8.800000E-06 | global batch size:   128 | lm loss: nan | grad norm: nan |\n",
        [
            m(43, loss=1.825991, step_ms=5444.9, load_balancing_loss=1.019746), e(43, test_loss=1.9),
            m(44, loss=None, grad_norm=None),
        ],
    ),
    Sample(
        "Megatron",
        " samples/sec: 7.799 | iteration       34/   10000 | elapsed time per iteration (ms): 4103.1 | learning rate: 2.111E-06 | "
        "approx flops per GPU: 112.9TFLOPS | lm_loss: 1.118665E+01 | number of skipped iterations:   0 | number of nan iterations:   0 |\n"
        "[2031-07-25 21:03:21,037] [INFO] [logging.py:96:log_dist] [Rank 0] step=35, skipped=0, lr=[2.1e-06, 2.1e-06], mom=[[0.9, 0.95]]\n"
        " samples/sec: 7.9 | iteration       35/   10000 | elapsed time per iteration (ms): 4003.1 | learning rate: 2.2E-06 | "
        "lm_loss: 1.11E+01 | number of skipped iterations:   0 | number of nan iterations:   0 |\n",
        [m(34, loss=11.18665, lr=2.111e-6, step_ms=4103.1), m(35, loss=11.1)],
    ),
    Sample(
        "Megatron",
        "worker-3: [default7]: iteration       10/ 1000 | consumed samples: 160 | consumed tokens: 327680 | elapsed time per iteration (s): "
        "0.80 | learning rate: 1.0E-05 | global batch size: 16 | lm loss: 9.37E+00 | grad norm: 3.3 | actual seqlen: 2048 | "
        "samples per second: 20.1 | TFLOPs: 33.81 |\n"
        "worker-3: [default7]: iteration       20/ 1000 | consumed samples: 320 | consumed tokens: 655360 | elapsed time per iteration (s): "
        "0.80 | learning rate: 2.0E-05 | global batch size: 16 | lm loss: 9.2E+00 | grad norm: 3.3 |\n",
        [m(10, loss=9.37, step_ms=800.0, lr=1e-5), m(20, loss=9.2)],
    ),
    Sample(
        "nanotron",
        "[0434:0]:11/01/2031 11:05:18 [INFO|DP=0|PP=0|TP=0|node0434]: iteration: 12001 / 17500 | consumed_tokens: 25.2G | "
        "elapsed_time_per_iteration_ms: 28.2K | tokens_per_sec: 74.5K | global_batch_size: 1.02K | lm_loss: 2.3 | lr: 0.000289 | "
        "grad_norm: 0.15 | hd_total_memory_tb: 9.25G\n"
        "[0434:0]:11/01/2031 11:05:26 [INFO|DP=0|PP=0|TP=0|node0434]: Learning rate scheduler state: {'base_lrs': [0.0003, 0.0003]}\n"
        "[0434:0]:11/01/2031 11:05:46 [INFO|DP=0|PP=0|TP=0|node0434]: iteration: 12002 / 17500 | consumed_tokens: 25.2G | "
        "elapsed_time_per_iteration_ms: 28.1K | tokens_per_sec: 74.6K | lm_loss: nan | lr: 0.000289 |\n",
        [m(12001, loss=2.3, step_ms=28200.0, tokens=25.2e9), m(12002, loss=None)],
    ),
    Sample(
        "fairseq",
        "| epoch 001:    450 / 1891 loss=11.521, nll_loss=10.881, ppl=1886.05, wps=52922, ups=0.5, wpb=104928, bsz=5325, "
        "num_updates=445, lr=8.90889e-05, gnorm=1.543, clip=0%, oom=0, loss_scale=2.000, wall=882, train_wall=756\n"
        "| epoch 001 | valid on 'valid' subset | valid_loss 8.11425 | valid_nll_loss 6.8834 | valid_ppl 118.06 | num_updates 600\n"
        "| epoch 001:    650 / 1891 loss=10.902, nll_loss=10.160, ppl=1144.39, wps=53573, ups=0.5, num_updates=645, lr=0.000129084\n",
        [m(445, loss=11.521, nll_loss=10.881, lr=8.90889e-5, grad_norm=1.543), e(600, val_loss=8.11425, val_ppl=118.06), m(645, loss=10.902)],
    ),
    Sample(
        "fairseq",
        "| epoch 008 | loss 4.752 | nll_loss 3.142 | ppl 8.83 | wps 433636 | ups 0.7 | num_updates 2028 | lr 0.000507049 | gnorm 0.367 | "
        "clip 0% | oom 0 | loss_scale 2.000 | wall 2933 | train_wall 2791\n"
        "| epoch 008 | valid on 'valid' subset | valid_loss 5.12701 | valid_nll_loss 3.37626 | valid_ppl 10.38 | num_updates 2028 | best 5.12701\n"
        "| WARNING: overflow detected, setting loss scale to: 1.0\n"
        "| epoch 009 | loss 4.576 | nll_loss 2.952 | ppl 7.74 | wps 419789 | num_updates 2282 | lr 0.000570543 | gnorm 0.328\n",
        [m(2028, loss=4.752, lr=0.000507049), e(2028, val_loss=5.12701), m(2282, loss=4.576)],
    ),
    Sample(
        "fairseq",
        "[2031-06-13 17:31:08,123][train_inner][INFO] - {\"epoch\": 1, \"update\": 0.333, \"loss\": \"8.1\", \"ppl\": \"274.4\", "
        "\"wps\": \"91.5\", \"num_updates\": \"100\", \"lr\": \"0.0001\", \"gnorm\": \"0.9\", \"train_wall\": \"48\"}\n"
        "[2031-06-13 17:31:18,123][valid][INFO] - {\"epoch\": 1, \"valid_loss\": \"7.9\", \"valid_ppl\": \"238.9\", "
        "\"valid_num_updates\": \"100\"}\n"
        "[2031-06-13 17:31:28,123][train_inner][INFO] - {\"epoch\": 1, \"update\": 0.666, \"loss\": \"nan\", \"num_updates\": \"200\", \"lr\": \"2e-4\"}\n",
        [m(100, loss=8.1, lr=1e-4, grad_norm=0.9), e(100, val_loss=7.9), m(200, loss=None)],
    ),
    Sample(
        "DeepSpeed",
        "[2031-03-11 02:06:58,985] [INFO] [logging.py:69:log_dist] [Rank 0] step=40, skipped=2, lr=[5e-05], mom=[[0.9, 0.999]]\n"
        "[2031-03-11 02:06:58,985] [INFO] [timer.py:189:stop] 0/40, SamplesPerSec=83.48609168106144, MemAllocated=0.26GB\n"
        "[2031-03-11 02:07:14,130] [INFO] [logging.py:128:log_dist] [Rank 0] step=50, skipped=2, lr=[5e-05], mom=[0.0, 0.0]\n"
        "[2031-03-11 02:07:14,130] [INFO] [timer.py:264:stop] epoch=0/micro_step=50/global_step=50, RunningAvgSamplesPerSec=83.7\n",
        [m(40, lr=5e-5, skipped=2.0), m(50, lr=5e-5)],
    ),
    Sample(
        "DeepSpeed",
        "steps: 10 loss: 10.7812 iter time (s): 1.352 samples/sec: 189.318\nsteps: 20 loss: 9.7812 iter time (s): 1.342 samples/sec: 190.3\n",
        [m(10, loss=10.7812), m(20, loss=9.7812)],
    ),
    Sample(
        "mlx-lm",
        "Iter 1: Val loss 2.612, Val took 1822.826s\nIter 10: Train loss 3.608, It/sec 0.015, Tokens/sec 1.425\n"
        "\nIter 200: Val loss 1.501, Val took 1802.1s\nIter 200: Saved adapter weights to checkpoints/200_adapters.npz.\n",
        [e(1, val_loss=2.612), m(10, loss=3.608, tokens_per_s=1.425), e(200, val_loss=1.501)],
    ),
    Sample(
        "mlx-lm",
        "Calculating loss...: 100%|██████████| 25/25 [00:05<00:00,  4.75it/s]\nIter 1: Val loss 2.936, Val took 5.265s\n"
        "Iter 5: Train loss 3.361, Learning Rate 1.000e-05, It/sec 0.165, Tokens/sec 282.648, Trained Tokens 8557, Peak 56.494 GB\n"
        "Iter 10: Train loss 2.669, Learning Rate 1.000e-05, It/sec 0.160, Tokens/sec 282.493, Trained Tokens 17373.0, Peak58.946 GB\n",
        [e(1, val_loss=2.936), m(5, loss=3.361, tokens=8557.0), m(10, loss=2.669)],
    ),
    Sample(
        "mlx-lm",
        "Iter 63: Train loss 0.000, Chosen reward -8.056, Rejected reward -16.406, Learning Rate 1.000e-05, It/sec 1.133, Tokens/sec 601.667\n"
        "Iter 64: Train loss -0.010, Chosen reward -8.242, Rejected reward -16.768, Learning Rate 1.000e-05, It/sec 0.000, Tokens/sec 592.1\n",
        [m(63, loss=0.0, **{"Chosen reward": -8.056}), m(64, loss=-0.01)],
    ),
    Sample(
        "mlx-lm",
        "  0%|          | 0/100 [00:00<?, ?it/s]Starting training..., iters: 100\n"
        "Iter 10: Train loss 3.438, Learning Rate 1.000e-04, It/sec 0.307, Tokens/sec 301.622, Trained Tokens 9817, Peak mem 22.427 GB\n"
        "  1%|▊         | 10/1000 [00:32<53:42,  3.25s/it, Loss=3.4376, LR=1.00e-04, Tokens/sec=302]Iter 20: Train loss 3.142, "
        "Learning Rate 1.000e-04, It/sec 0.283, Tokens/sec 302.828\n",
        [m(10, loss=3.438), m(20, loss=3.142)],
    ),
]  # fmt: skip

FURTHER = [*SCRIPT_VARIANTS, *FRAMEWORK_VARIANTS]
