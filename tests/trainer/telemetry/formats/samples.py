"""A log of each format with what must be found in it. Numbers and words are made up."""

from dataclasses import dataclass

Found = tuple[str, int, dict[str, float | None]]  # kind, step, some of the values
Attempts = tuple[int, ...]


@dataclass(frozen=True)
class Sample:
    """One log.

    Attributes:
        name: the format that must be found.
        rows: what must be found, in order, and nothing beside.
        attempts: of each row; the first throughout where left out.
    """

    name: str
    text: str
    rows: list[Found]
    attempts: Attempts = ()


def m(step: int, **values: float | None) -> Found:
    return "metrics", step, dict(values)


def e(step: int, **values: float | None) -> Found:
    return "eval", step, dict(values)


BAR = "\r {percent:2d}%|{fill:10}| {done}/{total} [00:{done:02d}<01:00,  1.10it/s]"


def bar(done: int, total: int) -> str:
    percent = 100 * done // total
    return BAR.format(percent=percent, fill="█" * (percent // 10), done=done, total=total)


SAMPLES = [
    Sample(
        "nanoGPT",
        "tokens per iteration will be: 4,096\neval_interval = 5\n"
        "step 0: train loss 4.3012, val loss 4.3100\niter 0: loss 4.2991, time 812.10ms, mfu -100.00%\n"
        "iter 5: loss nan, time 401.02ms, mfu 3.51%\nsaving checkpoint to out\n"
        "step 10: train loss 3.9, val loss inf\niter 10: loss 3.8817, time 399.90ms, mfu 3.48%",
        [
            e(0, train_loss=4.3012, val_loss=4.31), m(0, loss=4.2991, step_ms=812.1, mfu=None),
            m(5, loss=None, mfu=3.51), e(10, val_loss=None), m(10, loss=3.8817),
        ],
    ),
    Sample(
        "nanochat",
        "Vocab size: 65,536\nStep 00000 | Validation bpb: 3.2104\n"
        "step 00000/12000 (0.00%) | loss: 11.09 | lrm: 1.00 | dt: 512.10ms | tok/sec: 1,023,999 | mfu: 47.1\n"
        "step 11999/12000 (99.99%) | loss: 2.71 | lrm: 0.00 | dt: 470.00ms | tok/sec: 1,115,506 | bf16_mfu: 49.92 "
        "| epoch: 1 | total time: 94.01m | eta: 0.0m\n"
        "Step 12000 | Validation bpb: 0.8123\nStep 12000 | CORE metric: 0.2101\n"
        "Step 00000 | Validation loss: 1.0200\n"
        "Step 00000/00400 | Training loss: 1.301| lrm: 1.000000| num_tokens: 9,871\n"
        "Step 00001/00400 | Training loss: 1.198| lrm: 0.997500| num_tokens: 10,602\n"
        "Step 00001 | mmlu_acc: 0.310000, arc_easy_acc: 0.402300\n",
        [
            e(0, val_bpb=3.2104), m(0, loss=11.09, step_ms=512.1, tokens_per_s=1023999.0, mfu=47.1),
            m(11999, loss=2.71, mfu=49.92), e(12000, val_bpb=0.8123), e(12000, **{"CORE metric": 0.2101}),
            e(0, val_loss=1.02), m(0, loss=1.301, num_tokens=9871.0), m(1, loss=1.198),
            e(1, mmlu_acc=0.31, arc_easy_acc=0.4023),
        ],
        (1, 1, 1, 1, 1, 2, 2, 2, 2),
    ),
    Sample(
        "modded-nanogpt",
        'print(f"step:{step}/{args.num} val_loss:{loss:.4f} train_time:{t:.0f}ms")\n'
        "# step:3/9 train_loss:1.0 train_time:3ms is what a row looks like\n" + "=" * 40 + "\n"
        "step:0/9 val_loss:10.8258 train_time:0ms step_avg:nanms\n"
        "step:1/9 train_loss:10.8001 train_time:211ms step_avg:nanms\n"
        "step:2/9 train_time:420ms step_avg:209.10ms\nstep:9/9 val_loss:3.2799 train_time:1900ms step_avg:211.11ms\n",
        [
            e(0, val_loss=10.8258), m(1, loss=10.8001), m(2, step_ms=209.1), e(9, val_loss=3.2799, step_ms=211.11),
        ],
    ),
    Sample(
        "llm.c",
        "s:0 tel:11.0102\ns:0 trl:11.0091 lr:0.000001 norm:15.3000\ns:1 trl:10.9 lr:0.000002 norm:nan\n"
        "s:250 eval:0.2481\ns:250 tel:5.9\n",
        [
            e(0, val_loss=11.0102), m(0, loss=11.0091, lr=1e-6, grad_norm=15.3), m(1, grad_norm=None),
            e(250, hellaswag=0.2481), e(250, val_loss=5.9),
        ],
    ),
    Sample(
        "llm.c",
        "step    1/9 | loss 10.9 (+nanz)| norm 15.4 (+nanz)| lr 8.57e-07 | 3096.37 ms | 40.3% bf16 MFU | 1693 tok/s\n"
        "step    2/9 | loss 10.1 (-0.11z)| norm 9.1 (+1.00z)| lr 1.71e-06 | 3101.00 ms | -100.0% bf16 MFU | 169 tok/s\n",
        [m(1, loss=10.9, step_ms=3096.37, mfu=40.3, tokens_per_s=1693.0), m(2, lr=1.71e-06, mfu=None)],
    ),
    Sample(
        "litgpt",
        "Verifying settings ...\nEpoch 1 | iter 3 step 1 | loss train: 2.301, val: n/a | iter time: 301.10 ms\n"
        "Epoch 1 | iter 4 step 2 | loss train: 2.211, val: n/a | iter time: 401.55 ms (step) remaining time: 1 day, 2:03:04\n"
        "Validating ...\niter 4: val loss 2.2500, val time: 1203.00 ms\n",
        [m(3, loss=2.301, step_ms=301.1, optimizer_step=1.0), m(4, loss=2.211), e(4, val_loss=2.25)],
    ),
    Sample(
        "torchtitan",
        "[rank1]:[titan] 2031-03-01 10:00:00,001 - root - INFO - step:  1  loss: 11.9  grad_norm:  3.1  "
        "memory:  9.10GiB(11.4%)  tps: 10,050  tflops: 400.10  mfu: 41.2%\n"
        "[rank0]:[titan] 2031-03-01 10:00:00,002 - root - INFO - \x1b[31mstep:  1  \x1b[32mloss: 11.9  grad_norm:  3.1  "
        "memory:  9.10GiB(11.4%)  tps: 10,041  tflops: 400.10  mfu: 41.2%\x1b[39m\n"
        "[rank1]:[titan] 2031-03-01 10:00:09,001 - root - INFO - validate step: 10  loss:  9.5  memory:  9.1GiB(1%)  tps: 7\n"
        "[rank1]:[titan] 2031-03-01 10:00:10,001 - root - INFO - step: 10  loss:  9.1  memory: 9.1GiB(11%)  tps: 9  mfu: N/A\n",
        [
            m(1, loss=11.9, grad_norm=3.1, tokens_per_s=10050.0, mfu=41.2, memory_gib=9.1), e(10, val_loss=9.5),
            m(10, loss=9.1),
        ],
    ),
    Sample(
        "Megatron",
        " [2031-02-03 04:00:10.123456] iteration        1/    500 | consumed samples:   16 | elapsed time per iteration (ms): "
        "901.0 | learning rate: 1.0E-06 | global batch size: 16 | number of skipped iterations:   1 |\n"
        " iteration        2/    500 | consumed samples:   32 | elapsed time per iteration (s): 0.8 | learning rate: 2.0E-06 | "
        "global batch size: 16 | lm loss: 1.06E+01 | grad norm: 4.1 |\n"
        "---\n validation loss at iteration 2 on validation set | lm loss value: 1.05E+01 | lm loss PPL: 3.6E+04 | \n---\n",
        [
            m(1, step_ms=901.0, lr=1e-6), m(2, loss=10.6, step_ms=800.0, grad_norm=4.1),
            e(2, val_loss=10.5, val_ppl=36000.0),
        ],
    ),
    Sample(
        "nanotron",
        "01/09/2031 10:00:00 [INFO|DP=0|PP=0|TP=0|node-1]: iteration: 1 / 90 | consumed_tokens: 1.05M | "
        "time_per_iteration_ms: 2.03K | tokens_per_sec: 516K | lm_loss: 11.1 | lr: 3e-05 | eta: 0:03:01 | grad_norm: 9.8\n"
        "01/09/2031 10:00:02 [INFO|DP=0|PP=0|TP=0|node-1]: iteration: 2 / 90 | consumed_tokens: 2.1M | "
        "time_per_iteration_ms: 981 | tokens_per_sec: 1.07M | lm_loss: 10.9 | lr: 6e-05 | eta: 0:03:00 | grad_norm: 8.8\n",
        [
            m(1, loss=11.1, step_ms=2030.0, tokens_per_s=516000.0, tokens=1.05e6, grad_norm=9.8),
            m(2, step_ms=981.0, tokens_per_s=1.07e6),
        ],
    ),
    Sample(
        "fairseq",
        "2031-06-13 17:31:08 | INFO | train_inner | epoch 001:     99 / 300 loss=8.1, ppl=274.4, wps=91, num_updates=100, "
        "lr=0.0001, gnorm=0.9, train_wall=48, wall=0\n"
        "2031-06-13 17:33:41 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 7.9 | ppl 238.9 | num_updates 300\n"
        "2031-06-13 17:33:42 | INFO | train | epoch 001 | loss 8.0 | ppl 250.1 | num_updates 300 | lr 0.0003\n"
        '2031-06-13 17:34:00 | INFO | train_inner | {"epoch": 2, "update": 1.3, "loss": "7.5", "num_updates": "400", "lr": "1e-4"}\n'
        '2031-06-13 17:34:00 | INFO | valid | {"epoch": 2, "valid_loss": "7.4", "valid_num_updates": "400"}\n',
        [m(100, loss=8.1, grad_norm=0.9), e(300, val_loss=7.9), m(400, loss=7.5, lr=1e-4), e(400, val_loss=7.4)],
    ),
    Sample(
        "DeepSpeed",
        "[2031-06-21 10:48:53,396] [INFO] [config.py:996:print]   gradient_clipping ............ 1.0\n"
        "[2031-06-21 10:51:42,167] [INFO] [logging.py:96:log_dist] [Rank 0] step=10, skipped=0, lr=[1e-06, 2e-06], "
        "mom=[(0.9, 0.999), (0.9, 0.999)]\n"
        "host-1: [2031-06-21 10:51:43,168] [INFO] [logging.py:96:log_dist] [Rank 0] step=20, skipped=2, lr=[3e-06], mom=[[0.9, 0.95]]\n"
        "[2031-06-21 10:51:43,168] [INFO] [logging.py:96:log_dist] [Rank 0] step=30, skipped=2, lr=[4e-06], mom=[[0.9, 0.95]]\n",
        [m(10, lr=1e-6, skipped=0.0), m(20, lr=3e-6, skipped=2.0), m(30, lr=4e-6)],
    ),
    Sample(
        "mlx-lm",
        "Loading pretrained model\nStarting training..., iters: 30\nIter 1: Val loss 4.101, Val took 3.2s\n"
        "Iter 10: Train loss 3.501, Learning Rate 1.000e-05, It/sec 2.000, Tokens/sec 512.5, Trained Tokens 2560, "
        "Peak mem 9.1 GB\nIter 20: Val loss nan, Val took 3.1s\n\x1b[33mIter 20: Train loss nan, It/sec 2.5\x1b[0m\n",
        [
            e(1, val_loss=4.101), m(10, loss=3.501, lr=1e-5, step_ms=500.0, tokens=2560.0, peak_mem_gb=9.1),
            e(20, val_loss=None), m(20, loss=None),
        ],
    ),
    Sample(
        "kssm-v1",
        "Parameters: 118,404\n"
        "Epoch  1/10 | Loss: 2.501/6.901 | PPL: 993.1 | R: 0.140±0.010 [0.09,0.19] | ☾ Intimacy | 140.0s\n"
        "Epoch  2/10 | Loss: nan/7.101 | PPL: 1213.1 | R: 0.141±0.011 [0.10,0.19] | ∅ Unformed | 141.0s\n",
        [
            m(1, loss=2.501, R=0.14), e(1, val_loss=6.901, val_ppl=993.1), m(2, loss=None, R=0.141), e(2, val_loss=7.101),
        ],
    ),
    Sample(
        "kssm-v2",
        "  Step |    Loss |     PPL |            R |         Tone |       LR\n" + "-" * 70 + "\n"
        "    25 | 126.203 | 485165195.4 | 0.0658±0.0134 |   ∅ Unformed | 1.50e-04\n"
        "    50 |  9.1021 |  8974.1 | 0.061±0.013 |   ☾ Intimacy | 3.00e-04\n"
        + "-" * 35 + " Eval " + "-" * 35 + "\nVal Loss: 8.9001 | Val PPL: 7332.7\nVal R: 0.0540 ± 0.0130 [0.026, 0.084]\n"
        "Sample: so the\n   75 | 1.0 | a tale of\nSample R: mean=0.052\n  ★ New best model!\n",
        [
            m(25, loss=126.203, ppl=485165195.4, R=0.0658, lr=1.5e-4), m(50, loss=9.1021, R=0.061),
            e(50, val_loss=8.9001, val_ppl=7332.7, val_R=0.054),
        ],
    ),
]  # fmt: skip
