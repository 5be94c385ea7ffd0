"""causal-gen's own modules at mimic192's shapes, as ours.ts: python bench/hvae/peer.py <causal-gen>/src [batch] [repeats]"""
import json
import sys
import time
from types import SimpleNamespace

import torch

sys.path.insert(0, sys.argv[1])
import hps  # noqa: E402
import vae  # noqa: E402

batch, repeats = (int(v) for v in (sys.argv[2:] + ["4", "3"][len(sys.argv) - 2 :]))
torch.set_num_threads(2)
torch.manual_seed(0)
args = SimpleNamespace(**{
    **dict(bottleneck=4, z_max_res=192, bias_max_res=64, input_channels=1, cond_prior=False, q_correction=False,
           x_like="diag_dgauss", std_init=0.0, kl_free_bits=0.0),
    **vars(hps.HPARAMS_REGISTRY["mimic192"]), "context_dim": 6, "hps": "mimic192",
})
net = vae.HVAE(args)
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, betas=(0.9, 0.9), weight_decay=0.1)
x = torch.rand(batch, 1, 192, 192) * 2 - 1
pa, cf = (torch.rand(batch, 6, 1, 1).repeat(1, 1, 192, 192) for _ in range(2))


def step():
    net(x, pa)["elbo"].backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 350)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


@torch.no_grad()
def counterfactual():
    zs = net.abduct(x, pa)
    loc, scale = net.forward_latents([z["z"] if isinstance(z, dict) else z for z in zs], pa)
    cf_loc, cf_scale = net.forward_latents(zs, cf)
    return torch.clamp(cf_loc + cf_scale * (x - loc) / scale.clamp(min=1e-12), -1, 1)


def median(run):
    clock, processor = [], []
    for _ in range(repeats + 1):
        started, used = time.perf_counter(), time.process_time()
        run()
        clock.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    return dict(clock=sorted(clock[1:])[repeats // 2], processor=sorted(processor[1:])[repeats // 2])


print(json.dumps(dict(batch=batch, step=median(step), counterfactual=median(counterfactual))))
