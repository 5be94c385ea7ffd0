"""The peer's side of a bench: diffusers and transformers on PyTorch. Speaks as worker.ts does: a line in, a line out."""
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch

case = json.loads(sys.argv[1])
folder = Path(case["folder"])
torch.set_num_threads(int(sys.argv[2]))
TIMESTEP = 501
DEVICE = case["device"]
# Float32 on both sides: TF32 keeps 10 bits of 23.
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


def say(**answer):
    print("@" + json.dumps(answer), flush=True)


def tensor(name):
    """An input, turned from channels-last where it is a picture."""
    spec = case["inputs"][name]
    values = torch.from_numpy(np.fromfile(spec["path"], "float32").reshape(spec["shape"])).to(DEVICE)
    return values.permute(0, 3, 1, 2).contiguous() if values.ndim == 4 else values


def last(values):
    return values.permute(0, 2, 3, 1).contiguous() if values.ndim == 4 else values


def load_unet():
    from diffusers import UNet2DConditionModel
    return UNet2DConditionModel.from_pretrained(folder / "unet").to(DEVICE).eval().requires_grad_(False)


def load_vae():
    from diffusers import AutoencoderKL
    return AutoencoderKL.from_pretrained(folder / "vae").to(DEVICE).eval().requires_grad_(False)


def load_text():
    from transformers import CLIPTextModel
    return CLIPTextModel.from_pretrained(folder / "text_encoder").to(DEVICE).eval().requires_grad_(False)


def unet():
    model, x, context = load_unet(), tensor("x"), tensor("context")
    return lambda: last(model(x, TIMESTEP, context).sample)


def null_text():
    from diffusers import DDIMScheduler
    model, x, context = load_unet(), tensor("x"), tensor("context")
    pivot, conditional = tensor("pivot"), tensor("conditional")
    alphas = DDIMScheduler.from_pretrained(folder / "scheduler").alphas_cumprod
    now, before = alphas[TIMESTEP], alphas[TIMESTEP - 20]
    scale, shift = (before / now).sqrt(), (1 - before).sqrt() - (before * (1 - now) / now).sqrt()

    def step():
        with torch.enable_grad():
            embedding = context.clone().requires_grad_(True)
            optimiser = torch.optim.Adam([embedding], lr=1e-2)
            nothing = model(x, TIMESTEP, embedding).sample
            output = nothing + 7.5 * (conditional - nothing)
            loss = torch.nn.functional.mse_loss(scale * x + shift * output, pivot)
            loss.backward()
            optimiser.step()
        return embedding.detach()
    return step


def vae_encode():
    model, image = load_vae(), tensor("image")
    return lambda: last(model.encode(image).latent_dist.mean)


def vae_decode():
    model, latents = load_vae(), tensor("latents")
    return lambda: last(model.decode(latents).sample)


def clip():
    model, ids = load_text(), tensor("ids").long()
    return lambda: model(ids).last_hidden_state


def load():
    from safetensors.torch import load_file

    def once():
        loaded = Loaded()
        for component, make, file in (("unet", load_unet, "diffusion_pytorch_model"),
                                      ("vae", load_vae, "diffusion_pytorch_model"), ("text_encoder", load_text, "model")):
            # Into memory of its own: with assign=True nothing is read before it is used, and float32 never copied.
            module = make_empty(component).to_empty(device="cpu")
            stored = load_file(folder / component / f"{file}.safetensors")
            own = module.state_dict()
            # transformers 5 dropped a prefix that every published file has.
            named = {name if name in own else name.removeprefix("text_model."): value for name, value in stored.items()}
            missing, _ = module.load_state_dict(named, strict=False)
            assert not missing, missing
            loaded.modules.append(module)
        return loaded
    return once


class Loaded:
    def __init__(self):
        self.modules = []

    def numpy(self):
        """The largest number of every parameter, by component and name."""
        states = [module.state_dict() for module in self.modules]
        return np.array([state[name].max() for state in states for name in sorted(state)])

    def cpu(self):
        return self


def synchronise():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def peak():
    if DEVICE == "cuda":
        return torch.cuda.max_memory_allocated()
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def make_empty(component):
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel
    with torch.device("meta"):
        if component == "text_encoder":
            return CLIPTextModel(CLIPTextConfig.from_pretrained(folder / component))
        kind = UNet2DConditionModel if component == "unet" else AutoencoderKL
        return kind.from_config(kind.load_config(folder / component))


with torch.no_grad():
    run = globals()[case["name"].replace("-", "_")]()
    name = torch.cuda.get_device_name() if DEVICE == "cuda" else DEVICE
    say(ready=f"PyTorch {torch.__version__}, {name}")
    for line in sys.stdin:
        order, *path = line.split()
        if order == "run":
            started = time.perf_counter()
            run()
            synchronise()
            say(seconds=time.perf_counter() - started)
        elif order == "output":
            run().cpu().numpy().astype("float32").tofile(path[0])
            say(written=path[0])
        elif order == "peak":
            say(peak=peak())
