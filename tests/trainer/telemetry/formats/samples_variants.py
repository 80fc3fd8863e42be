"""Logs as forks, tutorials and launchers write them, each by its own reader. Numbers are made up."""

from tests.trainer.telemetry.formats.samples import Sample, e, m

VARIANTS = [
    Sample(
        "nanoGPT",
        "step 2000: train loss 2.0577, train perplexity 7.8959, val loss 2.0154, val perplexity 7.5307\niter 2000: loss 1.9532, time 43.76ms\n"
        "step 2500: train loss 1.7032, val loss 1.6212, perplexity  5.0591\n",
        [e(2000, train_loss=2.0577, val_loss=2.0154, val_ppl=7.5307), m(2000, loss=1.9532), e(2500, val_loss=1.6212, val_ppl=5.0591)],
    ),
    Sample(
        "build-nanogpt",
        "validation loss: 10.9511\nstep     0 | loss: 10.938573 | lr 6.0000e-05 | norm: 27.0159 | dt: 17830.71ms | tok/sec: 29403.65\n"
        "step     1 | loss: nan | lr 1.2000e-04 | norm: 9.5112 | dt: 4431.57ms | tok/sec: 118307.47\n"
        "step 2 | loss: 9.6 | lr: 1.2000e-04 | norm: 9.5112 | time: 4431.57ms | tokens/sec: 118307.47\n",
        [m(0, loss=10.938573, lr=6e-5, grad_norm=27.0159, step_ms=17830.71, tokens_per_s=29403.65), m(1, loss=None), m(2, loss=9.6)],
    ),
    Sample(
        "build-nanogpt",  # its log.txt
        "0 val 10.9511\n0 hella 0.2463\n0 train 10.955029\n1 train 10.697359\n250 val 5.9001\n250 train nan\n",
        [e(0, val_loss=10.9511), e(0, hellaswag=0.2463), m(0, loss=10.955029), m(1, loss=10.697359), e(250, val_loss=5.9001), m(250, loss=None)],
    ),
    Sample(
        "mlx-lm",
        "Iter 5: loss 0.724, chosen_r -0.064, acc 0.500, lr 1.000e-06, it/s 0.500, tok/s 100.0\nIter 10: loss 0.704, chosen_r -0.064, "
        "acc 0.500, lr 1.000e-06, it/s 0.441, tok/s 100.0\nIter 20: Val loss 0.662, Val chosen reward 0.000\n",
        [m(5, loss=0.724, chosen_r=-0.064, lr=1e-6, step_ms=2000.0, tokens_per_s=100.0), m(10, loss=0.704), e(20, val_loss=0.662)],
    ),
    Sample(
        "HF Trainer",
        "[INFO|2031-01-01 10:00:00] llamafactory.train.callbacks:143 >> {'loss': 1.5, 'learning_rate': 1.0e-05, 'epoch': 0.1}\n"
        "[INFO|2031-01-01 10:00:10] llamafactory.train.callbacks:143 >> {'loss': np.float64(1.4), 'learning_rate': 1.0e-05, 'epoch': 0.2}\n",
        [m(1, loss=1.5, lr=1e-5), m(2, loss=1.4)],
    ),
    Sample(
        "HF Trainer",  # scores alone
        "{'eval_loss': 1.5, 'eval_runtime': 1.0, 'epoch': 1.0}\n{'eval_loss': 1.4, 'eval_runtime': 1.0, 'epoch': 2.0}\n",
        [e(1, val_loss=1.5), e(2, val_loss=1.4)],
    ),
    Sample(
        "key=value",
        "2031-09-20 22:31:25.227 | INFO     | finetune.trainer:train:481 - ✅ Epoch 1/3 | Step 1/150 | loss=10.2313 | lr=1.00e-05\n"
        'level=info msg="a train step" step=2 loss = 5.2867\n',
        [m(1, loss=10.2313, lr=1e-5), m(2, loss=5.2867)],
    ),
    Sample(
        "key: value",
        "step 0, loss: 10.899394989013672\nStep 1,000/5,000 (20.0%) | Loss: 2.5 (CE: 2.4, U: 0.1) | PPL: 11.02 | R: 0.1234 ☾ Intimacy | Action: DAMP\n"
        "[Step 2000/5000] loss: 2.41 lr: 1.0e-4\nIteration 3000, Loss 2.375\n✅ Step 3001: Loss = nan, LR: 1e-4\n"
        "Step 3002 | loss:1.5 lr:0.0003 tokens_per_second_per_gpu:1000.0 \n",
        [
            m(0, loss=10.899394989013672), m(1000, loss=2.5, CE=2.4, ppl=11.02, R=0.1234), m(2000, loss=2.41, lr=1e-4), m(3000, loss=2.375),
            m(3001, loss=None), m(3002, loss=1.5),
        ],
    ),
    Sample(
        "CSV",
        "epoch;train_loss;val_loss;note\n1;2,5;2,75;first\n2;2.25;nan;\n",
        [m(1, loss=2.5), e(1, val_loss=2.75), m(2, loss=2.25), e(2, val_loss=None)],
    ),
    Sample(
        "vision meters",
        "Epoch: [0][   0/500]\tTime  5.123 ( 5.123)\tLoss 6.9000e+00 (6.9000e+00)\tAcc@1   0.00 (  0.00)\n"
        "Epoch: [0][  10/500]\tTime  0.123 ( 0.523)\tLoss 6.8000e+00 (6.8500e+00)\tAcc@1   0.39 (  0.12)\n"
        "Test: [ 0/98]\tTime  1.0 ( 1.0)\tLoss 6.5 (6.5)\n *   Acc@1 0.400 Acc@5 1.200\n"
        "Epoch: [1][   0/500]\tTime  5.123 ( 5.123)\tLoss nan (nan)\tAcc@1   0.00 (  0.00)\n",
        [m(0, loss=6.9), m(10, loss=6.8, **{"Acc@1": 0.39}, epoch=0.0), m(500, loss=None)],
    ),
    Sample(
        "vision meters",
        "2031/01/01 10:00:00 - mmengine - INFO - Epoch(train)  [1][ 50/100]  lr: 1.0000e-02  eta: 0:00:10  time: 0.2  memory: 100  loss: 0.5\n"
        "2031/01/01 10:00:10 - mmengine - INFO - Epoch(train)  [1][100/100]  lr: 1.0000e-02  eta: 0:00:00  time: 0.2  memory: 100  loss: 0.4\n"
        "2031/01/01 10:00:10 - mmengine - INFO - Epoch(val) [1][10/10]    accuracy/top1: 70.0  data_time: 0.1\n",
        [m(50, loss=0.5, lr=0.01), m(100, loss=0.4), e(100, **{"val_accuracy/top1": 70.0})],
    ),
    Sample(
        "vision meters",
        "Train: 0 [  50/1251 (  4%)]  Loss: 6.93 (6.94)  Time: 0.1s,  500.1/s  (0.2s,  500.1/s)  LR: 1.000e-06  Data: 0.1 (0.1)\n"
        "Epoch: [0]  [ 100/1251]  eta: 2:10:00  lr: 0.000100  loss: 6.8123 (6.9123)  time: 0.5012  data: 0.3012  max mem: 5000\n"
        "[01/01 10:00:00 d2.utils.events]:  eta: 1 day, 0:10:00  iter: 119  total_loss: 4.5  loss_cls: 1.2  lr: 0.0003  max_mem: 2000M\n",
        [m(50, loss=6.93, lr=1e-6), m(100, loss=6.8123, lr=1e-4), m(119, total_loss=4.5, lr=0.0003)],
    ),
    Sample(
        "key: value",
        "INFO:root:Episode 10 | Avg Reward: 5.00 | Epsilon: 1.000 | Win Rate: 1.00%\nINFO:root:\nINFO:root:Episode 20 | Avg Reward: 8.45 | Epsilon: 0.990\n",
        [m(10, **{"Avg Reward": 5.0}), m(20, **{"Avg Reward": 8.45})],
    ),
    Sample(
        "block of metrics",
        "Epoch: 01 | Epoch Time: 0m 22s\n\tTrain Loss: 5.053 | Train PPL: 156.500\n\t Val. Loss: 4.978 |  Val. PPL: 145.250\n"
        "Epoch: 02 | Epoch Time: 0m 22s\n\tTrain Loss: 4.053 | Train PPL:  56.500\n\t Val. Loss: 3.978 |  Val. PPL:  45.250\n",
        [m(1, loss=5.053), e(1, val_loss=4.978, val_ppl=145.25), m(2, loss=4.053), e(2, val_loss=3.978)],
    ),
]  # fmt: skip
