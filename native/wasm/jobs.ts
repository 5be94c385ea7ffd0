import { addChunk } from './add'
import { attentionChunk, attentionGradChunk, attentionPackChunk } from './attention'
import { convolveChunk } from './convolution'
import { gegluChunk, gegluGradChunk, geluChunk, geluGradChunk, swishChunk, swishGradChunk } from './activations'
import { groupNormChunk, groupNormGradChunk } from './group-norm'
import { layerNormChunk, layerNormGradChunk } from './layer-norm'
import { packChunk } from './product'

/** What is shared out among threads. */
export const enum Job {
  add,
  pack,
  convolve,
  attentionPack,
  attention,
  attentionGrad,
  groupNorm,
  groupNormGrad,
  layerNorm,
  layerNormGrad,
  swish,
  swishGrad,
  gelu,
  geluGrad,
  geglu,
  gegluGrad,
}

/** Does a part of a job, with the arguments of the job at work. */
export function runChunk(job: i32, chunk: i32, thread: i32): void {
  switch (job) {
    case Job.add: return addChunk(chunk)
    case Job.pack: return packChunk(chunk)
    case Job.convolve: return convolveChunk(chunk, thread)
    case Job.attentionPack: return attentionPackChunk(chunk)
    case Job.attention: return attentionChunk(chunk, thread)
    case Job.attentionGrad: return attentionGradChunk(chunk, thread)
    case Job.groupNorm: return groupNormChunk(chunk, thread)
    case Job.groupNormGrad: return groupNormGradChunk(chunk, thread)
    case Job.layerNorm: return layerNormChunk(chunk)
    case Job.layerNormGrad: return layerNormGradChunk(chunk)
    case Job.swish: return swishChunk(chunk)
    case Job.swishGrad: return swishGradChunk(chunk)
    case Job.gelu: return geluChunk(chunk)
    case Job.geluGrad: return geluGradChunk(chunk)
    case Job.geglu: return gegluChunk(chunk)
    case Job.gegluGrad: return gegluGradChunk(chunk)
  }
}
