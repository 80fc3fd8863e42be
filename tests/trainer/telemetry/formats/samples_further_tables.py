"""Further logs of bars, dictionaries, tables and documents, as other versions write them. Numbers are made up."""

from tests.trainer.telemetry.formats.samples import Sample, bar, e, m
from tests.trainer.telemetry.formats.samples_more import redraw

DPO = "{'loss': 0.9073, 'learning_rate': 4.2e-05, 'rewards/chosen': -1.17503821849823, 'logps/rejected': -148.04, 'epoch': %s}\n"

HF_VARIANTS = [
    Sample(
        "HF Trainer",
        bar(0, 24) + bar(1, 24) + bar(2, 24) + "\r\n{'loss': 6.2645, 'learning_rate': 0.001, 'epoch': 0.08}" + " " * 90 + "\n"
        + bar(2, 24) + bar(3, 24) + "[2031-11-26 03:07:16,494] [INFO] [logging.py:69:log_dist] [Rank 0] step=3, skipped=1, lr=[0.001], mom=[0.0]\n"
        + bar(4, 24) + "\n{'loss': 0.0, 'learning_rate': 0.001, 'epoch': 0.17}\n",
        [m(2, loss=6.2645), m(4, loss=0.0)],
    ),
    Sample(
        "HF Trainer",
        bar(0, 9) + "\n" + bar(3, 9) + "\n" + DPO % 0.33 + "{'eval_loss': 0.81, 'eval_runtime': 9.5817, 'eval_rewards/chosen': -0.26, 'epoch': 0.33}\n"
        + bar(6, 9) + "\n" + DPO % 0.67 + bar(9, 9) + "\n" + DPO % 1.0
        + "{'train_runtime': 9.1, 'train_samples_per_second': 1.0, 'train_steps_per_second': 0.1, 'train_loss': 0.9, 'epoch': 1.0}\n" + bar(9, 9) + "\n",
        [m(3, loss=0.9073, lr=4.2e-5, **{"rewards/chosen": -1.17503821849823}), e(3, val_loss=0.81), m(6, loss=0.9073), m(9, loss=0.9073)],
    ),
    Sample(
        "HF Trainer",
        "***** Running training *****\n  Num examples = 1,000\n  Num Epochs = 3\n  Instantaneous batch size per device = 8\n"
        "  Gradient Accumulation steps = 1\n  Total optimization steps = 375\n  Number of trainable parameters = 66,955,010\n"
        "{'loss': 0.6931, 'grad_norm': 1.5, 'learning_rate': 4e-05, 'epoch': 0.4}\n{'loss': 0.5, 'learning_rate': 3e-05, 'epoch': 0.8}\n"
        "***** Running Evaluation *****\n  Num examples = 100\n  Batch size = 8\n"
        "{'eval_loss': 0.45, 'eval_accuracy': 0.81, 'eval_runtime': 1.1, 'epoch': 1.0}\n"
        "Saving model checkpoint to out/checkpoint-125\n{'loss': 0.4, 'learning_rate': 2e-05, 'epoch': 1.2}\n",
        [m(50, loss=0.6931), m(100, loss=0.5), e(125, val_loss=0.45, eval_accuracy=0.81), m(150, loss=0.4)],
    ),
    Sample(
        "HF Trainer",
        "==((====))==  Unsloth - 2x faster free finetuning | Num GPUs used = 1\n"
        "   \\\\   /|    Num examples = 51,760 | Num Epochs = 1 | Total steps = 60\n"
        "O^O/ \\_/ \\    Batch size per device = 2 | Gradient accumulation steps = 4\n"
        + bar(0, 60) + bar(1, 60) + "\n{'loss': 1.8251, 'grad_norm': 0.29, 'learning_rate': 4e-05, 'epoch': 0.0}\n" + bar(1, 60) + bar(2, 60)
        + "\n{'loss': 2.2941, 'grad_norm': 0.31, 'learning_rate': 8e-05, 'epoch': 0.0}\n" + bar(3, 60)
        + "\n{'loss': 1.7, 'grad_norm': 0.3, 'learning_rate': 0.00012, 'epoch': 0.0}\n",
        [m(1, loss=1.8251), m(2, loss=2.2941), m(3, loss=1.7)],
    ),
    Sample(
        "HF Trainer",
        "{'loss': 1.5, 'grad_norm': inf, 'learning_rate': 0.0, 'memory/max_mem_active(gib)': 25.45, 'epoch': 1.0, 'step': 1}\n"
        "{'loss': nan, 'grad_norm': nan, 'learning_rate': 5e-06, 'memory/max_mem_active(gib)': 34.89, 'epoch': 2.0, 'step': 2}\n",
        [m(1, loss=1.5, grad_norm=None, lr=0.0), m(2, loss=None)],
    ),
    Sample(
        "HF Trainer",
        "{'loss': 0.4850769, 'grad_norm': 25.86640167, 'learning_rate': 1e-06, 'memory(GiB)': 69.19, 'train_speed(iter/s)': 0.010367, "
        "'nll_loss': 0.90234375, 'epoch': 0.24, 'global_step/max_steps': '11/94', 'percentage': '11.70%', 'elapsed_time': '16m 51s', "
        "'remaining_time': '2h 7m 13s'}\n"
        "{'eval_loss': 0.5, 'eval_runtime': 3.1, 'eval_token_acc': 0.7, 'epoch': 0.26, 'global_step/max_steps': '12/94', 'percentage': '12.77%'}\n"
        "{'loss': 0.42675275, 'grad_norm': 18.54290199, 'learning_rate': 1e-06, 'epoch': 0.26, 'global_step/max_steps': '12/94'}\n",
        [m(11, loss=0.4850769, epoch=0.24), e(12, val_loss=0.5), m(12, loss=0.42675275)],
    ),
    Sample(
        "HF Trainer",
        "{'loss': 0.0, 'grad_norm': 0.5, 'learning_rate': 1e-06, 'num_tokens': 4096.0, 'completions/mean_length': 201.5, "
        "'completions/clipped_ratio': 0.0, 'rewards/format/mean': 0.5, 'rewards/format/std': nan, 'reward': 0.75, 'reward_std': 0.2, 'kl': 0.0, 'epoch': 0.01}\n"
        + bar(1, 100) + "\n{'loss': -0.01, 'grad_norm': 0.6, 'learning_rate': 1e-06, 'num_tokens': 8192.0, 'reward': 0.8, 'kl': 0.001, 'epoch': 0.02}\n"
        + bar(2, 100) + "\n",
        [m(1, loss=0.0, reward=0.75, kl=0.0, **{"rewards/format/std": None}), m(2, loss=-0.01, reward=0.8)],
    ),
    Sample(
        "HF Trainer",
        "{'Training Loss': '1.2', 'epoch': 1}\n"
        "{'loss': '1.25', 'grad_norm': '0.5', 'learning_rate': '9.5e-05', 'entropy': '1.1', 'num_tokens': '4.1e+04', 'mean_token_accuracy': '0.71', 'epoch': '0.1'}\n"
        "{'loss': '1.15', 'grad_norm': '0.4', 'learning_rate': '9e-05', 'entropy': '1.0', 'num_tokens': '8.2e+04', 'mean_token_accuracy': '0.72', 'epoch': '0.2'}\n"
        "{'eval_loss': '1.1', 'eval_runtime': '3.1', 'eval_samples_per_second': '9.1', 'epoch': '0.2'}\n",
        [m(1, loss=1.25, num_tokens=41000.0), m(2, loss=1.15), e(2, val_loss=1.1)],
    ),
    Sample(
        "HF Trainer",
        bar(1, 30) + bar(10, 30) + "{'loss': 2.5, 'learning_rate': 1e-05, 'epoch': 1.0}\n" + bar(10, 30) + "\n{'eval_loss': 2.4, 'epoch': 1.0}\n"
        + "Traceback (most recent call last):\nRuntimeError: out of memory\n" + bar(0, 30) + bar(11, 30) + bar(20, 30)
        + "{'loss': 2.3, 'learning_rate': 1e-05, 'epoch': 2.0}\n",
        [m(10, loss=2.5), e(10, val_loss=2.4), m(20, loss=2.3)],
    ),
    Sample(
        "HF Trainer",
        bar(5, 10) + "\n{'loss': 2.5, 'learning_rate': 1e-05, 'epoch': 0.5}\n" + bar(10, 10) + "\n{'loss': 2.4, 'learning_rate': 1e-05, 'epoch': 1.0}\n"
        + bar(0, 10) + bar(5, 10) + "\n{'loss': 2.2, 'learning_rate': 1e-05, 'epoch': 0.5}\n" + bar(10, 10) + "\n{'loss': 2.1, 'learning_rate': 1e-05, 'epoch': 1.0}\n",
        [m(5, loss=2.5), m(10, loss=2.4), m(5, loss=2.2), m(10, loss=2.1)],
        (1, 1, 2, 2),
    ),
]  # fmt: skip

BAR_VARIANTS = [
    Sample(
        "tqdm",
        redraw("Epoch 1/2", 1, 3, "loss=0.9, lr=2e-05") + "\n" + redraw("Epoch 1/2", 3, 3, "loss=nan, lr=2e-05") + "\n"
        + redraw("Epoch 2/2", 3, 3, "loss=0.6, lr=1e-05") + "\n",
        [m(3, loss=None), m(6, loss=0.6)],
    ),
    Sample(
        "tqdm",
        "".join(redraw("Training", done, 1000, f"loss=2.{done // 100}") for done in (1, 500, 1000)) + "\n",
        [m(1000, loss=2.10)],
    ),
    Sample(
        "tqdm",
        redraw("train [0]", 3, 3, "loss=0.9") + redraw("valid [0]", 1, 1, "loss=0.8") + redraw("train [1]", 3, 3, "loss=0.7") + "\n",
        [m(3, loss=0.9), m(6, loss=0.7)],
    ),
    Sample(
        "tqdm",
        redraw("[Epoch 1]", 5, 5, "loss: 0.93, acc: 0.5") + redraw("[Epoch 2]", 5, 5, "loss: 0.83, acc: 0.6") + "\n",
        [m(5, loss=0.93), m(10, loss=0.83)],
    ),
    Sample(
        "tqdm",
        "loss: 0.9312:  10%|█         | 1/10 [00:01<00:09,  1.10it/s]\rloss: 0.8312:  20%|██        | 2/10 [00:02<00:08,  1.10it/s]"
        "\rloss: 0.1312: 100%|██████████| 10/10 [00:10<00:00,  1.10it/s]\n",
        [m(10, loss=0.1312)],
    ),
    Sample(
        "tqdm",
        "Epoch 3/10 | train_loss 0.52: 100%|██████████| 10/10 [00:10<00:00,  1.10it/s]\nEpoch 4/10 | train_loss 0.42: 100%|██████████| 10/10 "
        "[00:10<00:00,  1.10s/it, acc=51.2%, lr=1.0e-04, tok=1.2K]\n",
        [m(30, loss=0.52), m(40, loss=0.42, lr=1e-4, tok=1200.0)],
    ),
    Sample(
        "tqdm",
        "Epoch 0:  50%|#####     | 5/10 [00:05<00:05,  1.23batch/s, loss=0.9]\rEpoch 0: 100%|##########| 10/10 [00:10<00:00,  1.23batch/s, loss=0.8]\n"
        "Epoch 1: 100%|##########| 10/10 [00:10<00:00,  1.2ks/img, loss=0.7]\n",
        [m(10, loss=0.8), m(20, loss=0.7)],
    ),
    Sample(
        "tqdm",
        "0it [00:00, ?it/s]\r1it [00:01,  1.02s/it, loss=2.5]\r2it [00:02,  1.02s/it, loss=2.4]\rtrain: 30it [00:31,  1.02s/it, loss=1.5]\n",
        [m(2, loss=2.4), m(30, loss=1.5)],
    ),
    Sample(
        "Lightning",
        "Epoch 0: |          | 1/? [00:00<00:00,  2.33it/s, v_num=0, train_loss=2.9]\rEpoch 0: |          | 40/? [00:09<00:00,  2.33it/s, v_num=0, train_loss=2.2]\n"
        "Epoch 1: |          | 40/? [00:09<00:00,  2.33it/s, v_num=0, train_loss=1.2, val_loss=1.3]\n",
        [m(40, loss=2.2), m(80, loss=1.2), e(80, val_loss=1.3)],
    ),
    Sample(
        "Lightning",
        redraw("Epoch 0", 4, 8, "loss=10.473, v_num=193315") + "\n" + redraw("Epoch 0", 8, 8, "loss=9.473, v_num=193315, val_loss=9.1") + "\n"
        + redraw("Epoch 1", 8, 8, "loss=8.473, v_num=193315, val_loss=8.1") + "\n",
        [m(8, loss=9.473), e(8, val_loss=9.1), m(16, loss=8.473), e(16, val_loss=8.1)],
    ),
    Sample(
        "Lightning",
        "Epoch 0: 100%|██████████| 8/8 [00:03<00:00,  2.33it/s, v_num=abc1, train/loss=2.200, val/loss=2.100, val/acc=0.5]\n"
        "Epoch 1: 100%|██████████| 8/8 [00:03<00:00,  2.33it/s, v_num=abc1, train/loss=1.200, val/loss=nan.0, val/acc=0.6]\n",
        [m(8, loss=2.2), e(8, val_loss=2.1, val_acc=0.5), m(16, loss=1.2), e(16, val_acc=0.6)],
    ),
    Sample(
        "Keras",
        "Train on 60000 samples, validate on 10000 samples\nEpoch 1/12\n"
        "60000/60000 [==============================] - 5s 87us/step - loss: 0.3437 - acc: 0.8957 - val_loss: 0.0759 - val_acc: 0.9771\n"
        "Epoch 2/12\n29312/60000 [=============>................] - ETA: 2s - loss: 0.0891 - acc: 0.9733\x08\x08\x08"
        "60000/60000 [==============================] - 5s 77us/sample - loss: 0.0952 - acc: 0.9743 - val_loss: 0.05 - val_acc: 0.98\n",
        [m(1, loss=0.3437, step_ms=0.087), e(1, val_loss=0.0759, val_acc=0.9771), m(2, loss=0.0952), e(2, val_loss=0.05)],
    ),
    Sample(
        "Keras",
        "Epoch 1/12\n20/20 - 671s - loss: 0.9826 - 671s/epoch - 34s/step\nEpoch 1: val_loss improved from inf to 1.09220, saving model to a.h5\n"
        "Epoch 2/12\n20/20 - 3s - 164ms/step - accuracy: 0.1 - loss: 0.9 - val_accuracy: 0.2 - val_loss: 0.95 - learning_rate: 1.0000e-04\n",
        [m(1, loss=0.9826), m(2, loss=0.9, step_ms=164.0, lr=1e-4), e(2, val_loss=0.95)],
    ),
    Sample(
        "Keras",
        "Epoch 1/5\n710/710 - 0s - loss: 0.3377 - val_loss: 0.5081\nEpoch 2/5\n710/710 - 0s - loss: nan - val_loss: nan\n",
        [m(1, loss=0.3377), e(1, val_loss=0.5081), m(2, loss=None), e(2, val_loss=None)],
    ),
    Sample(
        "Keras",
        "Epoch 1/2\n  60000/Unknown - 5s 87us/step - loss: 0.3281 - acc: 0.8997 - val_loss: 0.0761 - val_acc: 0.9769\nEpoch 2/2\n"
        "\x1b[1m 938/Unknown\x1b[0m \x1b[1m3s\x1b[0m 3ms/step - acc: 0.9 - loss: 0.2\r\x1b[1m939/939\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m "
        "\x1b[1m4s\x1b[0m 4ms/step - acc: 0.91 - loss: 0.19 - val_acc: 0.92 - val_loss: 0.18\n",
        [m(1, loss=0.3281), e(1, val_loss=0.0761), m(2, loss=0.19), e(2, val_loss=0.18, val_acc=0.92)],
    ),
    Sample(
        "Keras",
        "Epoch 1/100\n1000/1000 [==============================] - 215s 215ms/step - loss: 1.0181 - rpn_class_loss: 0.01 - val_loss: 1.1 - val_rpn_class_loss: 0.02\n"
        "Epoch 2/100\n1000/1000 [==============================] - 215s 215ms/step - loss: 1.0 - rpn_class_loss: 0.01 - val_loss: 1.0 - val_rpn_class_loss: 0.02 - lr: 0.0010\n",
        [m(1, loss=1.0181, rpn_class_loss=0.01), e(1, val_loss=1.1), m(2, loss=1.0, lr=0.001), e(2, val_loss=1.0)],
    ),
    Sample(
        "fastai",
        "epoch     train_loss  valid_loss  error_rate  accuracy_multi  time\n0         1.507166    1.400000    0.45        0.5             00:10\n"
        "Better model found at epoch 0 with valid_loss value: 1.4.\n1         0.750641    0.700000    0.15        0.6             01:10\n",
        [m(0, loss=1.507166), e(0, val_loss=1.4, error_rate=0.45), m(1, loss=0.750641), e(1, val_loss=0.7)],
    ),
    Sample(
        "fastai",
        "Training lm from random weights\nepoch     train_loss  valid_loss  accuracy\n1         3.269541    3.451855    0.387471\n"
        "2         3.069541    3.251855    0.407471\nTotal time: 01:02\n",
        [m(1, loss=3.269541), e(1, val_loss=3.451855, accuracy=0.387471), m(2, loss=3.069541), e(2, val_loss=3.251855)],
    ),
    Sample(
        "HF Trainer",
        "  0% 0/2238 [00:00<?, ?it/s]\r  4% 100/2238 [1:49:59<42:08:58, 70.97s/it]{'loss': 2.6446, 'learning_rate': 5e-05, 'epoch': 0.04}\n"
        "  4% 101/2238 [1:50:59<42:08:58, 70.97s/it]\r  9% 200/2238 [3:49:59<42:08:58, 70.97s/it]{'loss': 2.4, 'learning_rate': 4e-05, 'epoch': 0.09}\n",
        [m(100, loss=2.6446), m(200, loss=2.4)],
    ),
    Sample(
        "CSV",
        "epoch,train_loss,valid_loss,accuracy,time\n0,1.507166,1.4,0.5,00:10\n1,0.750641,0.7,0.6,00:11\n",
        [m(0, loss=1.507166), e(0, val_loss=1.4), m(1, loss=0.750641), e(1, val_loss=0.7)],
    ),
    Sample(
        "fastai",
        "█\repoch     train_loss  valid_loss  accuracy  time    \n█\r0         1.507166    1.400000    0.5       00:10     \n"
        "Epoch 2/2 : |████████████| 100.00% [10/10 00:01<00:00 0.7512]\r1         0.750641    0.700000    0.6       00:11     \n",
        [m(0, loss=1.507166), e(0, val_loss=1.4), m(1, loss=0.750641), e(1, val_loss=0.7)],
    ),
]  # fmt: skip

GENERIC_VARIANTS = [
    Sample(
        "key=value",
        "Epoch 1/10 | Train Loss: 0.5321 | Val Loss: 0.6100 | Val Acc: 81.20% | Time: 12.3s\n"
        "Epoch 2/10 | Train Loss: 0.4321 | Val Loss: nan | Val Acc: 83.20% | Time: 1:02\n",
        [m(1, loss=0.5321), e(1, val_loss=0.61, val_acc=81.2), m(2, loss=0.4321), e(2, val_loss=None, val_acc=83.2)],
    ),
    Sample(
        "key=value",
        "Epoch [1/5], Step [100/600], Loss: 0.5321\nEpoch [1/5], Step [200/600], Loss: 0.4321\nEpoch [2/5], Step [100/600], Loss: 0.3321\n",
        [m(100, loss=0.5321, epoch=1.0), m(200, loss=0.4321), m(700, loss=0.3321)],
    ),
    Sample(
        "key=value",
        "step=1000 loss=2.31 lr=3.0e-04 tok/s=1,234 tokens=1.2M\nstep=2000 loss=2.11 lr=3.0e-04 tok/s=1,334 tokens=2.4M\n"
        "[val] step=2000 loss=2.25 ppl=9.5\n",
        [m(1000, loss=2.31, tokens=1.2e6), m(2000, loss=2.11), e(2000, val_loss=2.25, val_ppl=9.5)],
    ),
    Sample(
        "key=value",
        "iter=10, loss=2.5, val_a/loss=2.6, val_b/loss=2.7\niter=20, loss=-inf, val_a/loss=2.5, val_b/loss=2.6\n",
        [m(10, loss=2.5), e(10, **{"val_a/loss": 2.6, "val_b/loss": 2.7}), m(20, loss=None), e(20, **{"val_a/loss": 2.5})],
    ),
    Sample(
        "JSON lines",
        '{"current_steps": 10, "total_steps": 100, "loss": 1.5, "lr": 0.0001, "epoch": 0.1, "percentage": 10.0, "elapsed_time": "0:00:10"}\n'
        '{"current_steps": 20, "total_steps": 100, "loss": 1.4, "lr": 0.0001, "epoch": 0.2, "percentage": 20.0, "elapsed_time": "0:00:20"}\n'
        '{"current_steps": 20, "total_steps": 100, "eval_loss": 1.45, "epoch": 0.2, "percentage": 20.0}\n',
        [m(10, loss=1.5, lr=1e-4), m(20, loss=1.4), e(20, val_loss=1.45)],
    ),
    Sample(
        "JSON lines",
        '{"loss": 1.81, "token_acc": 0.5, "grad_norm": 0.7, "learning_rate": 2e-05, "epoch": 0.01, "global_step/max_steps": "1/187"}\n'
        '{"loss": 1.71, "token_acc": 0.6, "grad_norm": 0.7, "learning_rate": 1e-04, "epoch": 0.03, "global_step/max_steps": "5/187"}\n'
        '{"eval_loss": 1.6, "eval_token_acc": 0.6, "epoch": 0.03, "global_step/max_steps": "5/187"}\n',
        [m(1, loss=1.81, lr=2e-5), m(5, loss=1.71, token_acc=0.6), e(5, val_loss=1.6)],
    ),
    Sample(
        "JSON lines",
        '{"name": "loss", "data": {"epoch": 0.01, "step": 1, "value": 3.9274, "timestamp": "2031-09-26T19:25:18.737364"}}\n'
        '{"name": "loss", "data": {"epoch": 0.01, "step": 2, "value": 4.4904, "timestamp": "2031-09-26T19:25:19.316729"}}\n',
        [m(1, loss=3.9274), m(2, loss=4.4904)],
    ),
    Sample(
        "JSON lines",
        '{"_step": 0, "_timestamp": 1900000000.5, "_runtime": 3, "train/loss": "NaN", "train/lr": 1e-05}\n'
        '{"_step": 1, "_timestamp": 1900000001.5, "_runtime": 4, "train/loss": "Infinity", "train/lr": 2e-05}\n'
        '{"_step": 1, "_timestamp": 1900000001.9, "eval/loss": 2.5, "eval/accuracy": 0.5}\n',
        [m(0, loss=None, lr=1e-5), m(1, loss=None), e(1, val_loss=2.5)],
    ),
    Sample(
        "CSV",
        "step;loss;lr\r\n10;2.5;1e-05\r\n20;nan;1e-05\r\n30;inf;\r\n",
        [m(10, loss=2.5, lr=1e-5), m(20, loss=None), m(30, loss=None)],
    ),
    Sample(
        "CSV",
        "\ufeffepoch,accuracy,learning_rate,loss,val_accuracy,val_loss\n0,0.81,0.001,0.53,0.79,0.61\n1,0.85,0.001,0.43,0.8,0.59\n",
        [m(0, accuracy=0.81, loss=0.53, lr=0.001), e(0, val_accuracy=0.79, val_loss=0.61), m(1, loss=0.43), e(1, val_loss=0.59)],
    ),
    Sample(
        "CSV",
        "Step\tTraining Loss\tValidation Loss\n500\t2.513400\t2.401200\n1000\t2.213400\tNo log\n",
        [m(500, loss=2.5134), e(500, val_loss=2.4012), m(1000, loss=2.2134)],
    ),
    Sample(
        "CSV",
        '"","Step","llama-7b - train/loss","llama-7b - train/loss__MIN"\n"1","10","2.5","2.4"\n"2","20","2.4","2.3"\n',
        [m(10, **{"llama-7b - train/loss": 2.5}), m(20, **{"llama-7b - train/loss": 2.4})],
    ),
    Sample(
        "CSV",
        "Wall time,Step,Value\n1900000000.5,10,2.5\n1900000001.5,20,2.25\n",
        [m(10, Value=2.5), m(20, Value=2.25)],
    ),
    Sample(
        "CSV",
        "step,loss,loss\n1,2.5,2.6\n2,2.4,2.5\n",
        [m(1, loss=2.5), m(2, loss=2.4)],
    ),
    Sample(
        "JSON history",
        '{"loss": [2.5, 2.4], "val_loss": [2.6, NaN], "accuracy": [0.1, 0.2]}',
        [m(1, loss=2.5, accuracy=0.1), e(1, val_loss=2.6), m(2, loss=2.4), e(2, val_loss=None)],
    ),
    Sample(
        "JSON history",
        '{"train_loss": [2.5, 2.4], "val_loss": [2.6, 2.5]}',
        [m(1, loss=2.5), e(1, val_loss=2.6), m(2, loss=2.4), e(2, val_loss=2.5)],
    ),
    Sample(
        "JSON history",
        '{"config": {"lr": 0.1}, "history": [{"step": 10, "loss": 2.5}, {"step": 20, "loss": 2.4}]}',
        [m(10, loss=2.5), m(20, loss=2.4)],
    ),
    Sample(
        "trainer_state.json",
        '{"best_metric": null, "epoch": 1.0, "global_step": 2, "max_steps": 4, "log_history": [{"loss": "2.5", "step": 1, "epoch": 0.5},'
        '{"eval_loss": "inf", "step": 2, "epoch": 1.0}, {"loss": 2.25, "learning_rate": 1e-5, "step": 2, "epoch": 1.0}]}',
        [m(1, loss=2.5), e(2, val_loss=None), m(2, loss=2.25, lr=1e-5)],
    ),
]  # fmt: skip

KSSM_VARIANTS = [
    Sample(
        "kssm-v1",
        "Epoch   1/100 | Loss: 2.501/6.901 | PPL: 993.1 | R: 0.140±0.010 [0.09, 0.19] | ☾ Intimacy | 140.0s\n"
        "Epoch  99/100 | Loss: nan/nan | PPL: nan | R: nan±nan [nan, nan] | ∅ Unformed | 1141.0s\r\n"
        "Epoch 100/100 | Loss: 0.001/10.901 | PPL: 54234.1 | R: 0.999±0.000 [-0.01, 1.00] | ⚖ Balance | 9.0s\n",
        [
            m(1, loss=2.501, R=0.14, R_min=0.09), e(1, val_ppl=993.1), m(99, loss=None, R=None), e(99, val_loss=None),
            m(100, loss=0.001), e(100, val_loss=10.901),
        ],
    ),
    Sample(
        "kssm-v2",
        "   Step |     Loss |      PPL |        R |       Tone |       LR\n" + "-" * 60 + "\n"
        "     25 |   9.1234 |  9167.20 |   0.0520±0.0101 | ∅ Unformed | 3.00e-05\n"
        "     50 |      nan |      nan |   nan±nan | ∅ Unformed | 6.00e-05\n"
        "    100 |  11.2345 |  inf |   0.0520±0.0101 | ☾ Intimacy | 1.00e-04\n",
        [m(25, loss=9.1234, ppl=9167.2, R=0.052, lr=3e-5), m(50, loss=None), m(100, ppl=None)],
    ),
    Sample(
        "kssm-v3",
        "[4] Training Loop\n" + "=" * 70 + "\n  Step |   Total |      CE |     Reg |       R |   u_val |       LR\n" + "-" * 70 + "\n"
        "    20 | 218.003 | 217.550 |  0.4523 | 0.0440 |   1.080 | 3.00e-06\n    40 |     nan |     nan |  0.4951 | 0.0450 |  -1.010 | 6.00e-06\n"
        "======\n   EVALUATION @ Step 40\n   Val Loss: 9.1\n   Val CE: 9.0\n======\n"
        "   💾 Checkpoint @ Step 40\n     Checkpoint saved: results/checkpoint_40.pt\n"
        "    60 | 100.003 |  99.550 |  1e+03.5 | 0.0440 |   1.080 | 3.00e-06\n"
        "100000 |   9.003 |   8.550 |  0.4523 | 0.0440 |  10.000 | 1.00e-05\n",
        [m(20, total=218.003, lr=3e-6), m(40, total=None, u_val=-1.01), e(40, val_loss=9.1, val_ce=9.0), m(100000, total=9.003)],
    ),
]  # fmt: skip

FURTHER_TABLES = [*HF_VARIANTS, *BAR_VARIANTS, *GENERIC_VARIANTS, *KSSM_VARIANTS]
