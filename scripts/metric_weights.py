"""The official weights of the metrics' networks as safetensors, for loadInception, loadLpips and loadXrvDenseNet.

    python metric_weights.py inception pt_inception-2015-12-05-6726825d.pth inception.safetensors
    python metric_weights.py lpips alex lpips-alex.safetensors          (or vgg, squeeze)
    python metric_weights.py xrv densenet121-res224-all xrv.safetensors

    pip install torch safetensors, and for lpips: lpips torchvision, for xrv: torchxrayvision

The first is pytorch-fid's file. For lpips the heads come from the lpips package, and the backbone is what torchvision
downloads, or --backbone FILE. For xrv give a name that torchxrayvision downloads, or a file of its releases; such a file
is a pickled module, and unpickling runs code: only open one that you trust.
"""
import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

BACKBONES = {'alex': 'alexnet', 'vgg': 'vgg16', 'squeeze': 'squeezenet1_1'}


def floats(state):
    """Floating tensors on their own memory; counters such as num_batches_tracked are not needed."""
    return {name: tensor.detach().float().contiguous().clone() for name, tensor in state.items() if tensor.is_floating_point()}


def load(path):
    return torch.load(path, map_location='cpu', weights_only=True)


def inception(source):
    return floats(load(source))


def lpips(net, backbone):
    import lpips
    import torchvision

    heads = load(Path(lpips.__file__).parent / f'weights/v0.1/{net}.pth')
    whole = load(backbone) if backbone else getattr(torchvision.models, BACKBONES[net])(weights='DEFAULT').state_dict()
    return {**floats({name: tensor for name, tensor in whole.items() if name.startswith('features.')}), **floats(heads)}


def xrv(source):
    import torchxrayvision

    if not Path(source).exists():
        return floats(torchxrayvision.models.DenseNet(weights=source).state_dict())
    saved = torch.load(source, map_location='cpu', weights_only=False)
    return floats(saved.state_dict() if isinstance(saved, torch.nn.Module) else saved)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest='kind', required=True)
    for kind in ('inception', 'lpips', 'xrv'):
        one = kinds.add_parser(kind)
        one.add_argument('source', choices=list(BACKBONES) if kind == 'lpips' else None)
        one.add_argument('out')
        if kind == 'lpips':
            one.add_argument('--backbone', help="a state dict of torchvision's, instead of a download")
    given = parser.parse_args()
    tensors = (lpips(given.source, given.backbone) if given.kind == 'lpips'
               else {'inception': inception, 'xrv': xrv}[given.kind](given.source))
    save_file(tensors, given.out)
    print(f'{len(tensors)} tensors in {given.out}')


if __name__ == '__main__':
    main()
