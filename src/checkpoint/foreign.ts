import { CheckpointError } from '../core/index.js'

const pickleName = /\.(bin|ckpt|pt|pth|pkl)$/i

/** Whether a file's name is that of a Python pickle. */
export function isPickleName(name: string): boolean {
  return pickleName.test(name)
}

/**
 * The error for a Python pickle: it can run any code when it is read, so it is never read here.
 *
 * @param path - of the pickle
 */
export function pickleError(path: string): CheckpointError {
  const wholePipeline = /\.ckpt$/i.test(path)
  const target = path.replace(pickleName, '')
  const script = wholePipeline
    ? `from diffusers import StableDiffusionPipeline as P; P.from_single_file('${path}').save_pretrained('${target}')`
    : `import torch, safetensors.torch as s; s.save_file({k: v.clone().contiguous() for k, v in torch.load('${path}', map_location='cpu', weights_only=True).items()}, '${target.replace('pytorch_model', 'model').replace('diffusion_model', 'diffusion_pytorch_model')}.safetensors', metadata={'format': 'pt'})`
  return new CheckpointError({
    rule: 'Weights are read from .safetensors files only',
    got: `${path}, a Python pickle, which can run any code when it is opened`,
    mend: `Convert it once, in Python, if you trust it: python -c "${script}"`,
  })
}

const lfsPrefix = 'version https://git-lfs'

/**
 * The error for a file that git-LFS has not yet replaced by its content, or `null` for any other file.
 *
 * @param start - the first bytes of the file; a pointer is shorter than 1 kB
 * @param path - named in the error
 */
export function lfsPointerError(start: Uint8Array, path: string): CheckpointError | null {
  const text = new TextDecoder().decode(start.subarray(0, 1024))
  if (!text.startsWith(lfsPrefix)) return null
  const size = /^size (\d+)$/m.exec(text)?.[1]
  return new CheckpointError({
    rule: 'A model file must hold its content',
    got: `${path}, a git-LFS pointer${size === undefined ? '' : ` that stands for ${size} bytes`}`,
    mend: 'Fetch the content: run `git lfs install` and `git lfs pull` in the folder.',
  })
}

/**
 * Refuses a file that is recognisably something other than safetensors, and says what it is.
 *
 * @param start - the first bytes of the file, up to 1 kB
 * @param path - named in the error
 * @throws CheckpointError for git-LFS pointers, pickles (bare or zipped) and web pages
 */
export function refuseForeignFile(start: Uint8Array, path: string): void {
  const pointer = lfsPointerError(start, path)
  if (pointer) throw pointer
  // The upper half of a safetensors header's length is always zero.
  const isOther = start.subarray(4, 8).some((byte) => byte !== 0)
  // torch.save writes a zip archive; older versions a bare pickle, of protocol 2 to 5.
  const isZip = isOther && start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4
  const isPickle = isOther && start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5
  if (isPickleName(path) || isZip || isPickle) throw pickleError(path)
  if (/^\s*<(!doctype|html)/i.test(new TextDecoder().decode(start.subarray(0, 64))))
    throw new CheckpointError({
      rule: 'A weight file must be a safetensors file',
      got: `${path}, a web page`,
      mend: 'The download stored an error or log-in page; download the file again, with a token if it needs one.',
    })
}
