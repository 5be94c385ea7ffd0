"""The Python side of bench/metrics/speed.ts: the same arrays, the same threads; seconds as JSON on the last line."""
import json
import sys
import time

import numpy as np
import torch

threads = int(sys.argv[1])
torch.set_num_threads(threads)
torch.manual_seed(0)


def best(run, times):
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main():
    import lpips
    from pytorch_fid.fid_score import calculate_frechet_distance
    from torchmetrics.functional.image import structural_similarity_index_measure as ssim

    x, y = torch.rand(64, 3, 256, 256), torch.rand(64, 3, 256, 256)
    perceptual = lpips.LPIPS(net='alex', pretrained=False, pnet_rand=True, verbose=False).eval()
    a, b = np.random.default_rng(0).normal(size=(2, 500, 2048))

    def fid():
        return calculate_frechet_distance(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))

    with torch.no_grad():
        print(json.dumps({
            'ssim': best(lambda: ssim(x, y, data_range=1.0), 3),
            'lpips': best(lambda: perceptual(x, y, normalize=True), 3),
            'fid': best(fid, 1),
        }))


main()
