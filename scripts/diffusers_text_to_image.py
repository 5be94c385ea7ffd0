"""One picture by Python diffusers, as raw float32 [height, width, 3] in [0, 1]; called by compare-with-diffusers.ts.

    pip install torch diffusers transformers
"""
import json
import sys

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline

folder, out, request = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe.set_progress_bar_config(disable=True)
with torch.no_grad():
    picture = pipe(request["prompt"], num_inference_steps=request["steps"], guidance_scale=request["guidance"],
                   generator=torch.Generator().manual_seed(request["seed"]), output_type="np").images[0]
picture.astype("float32").tofile(out)
