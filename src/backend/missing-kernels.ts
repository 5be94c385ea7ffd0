import * as tf from '@tensorflow/tfjs'

// What the layers of this library run, forwards and backwards.
const needed = [
  ...['Add', 'AddN', 'BatchMatMul', 'Cast', 'ClipByValue', 'Concat', 'Conv2D', 'Conv2DBackpropFilter'],
  ...[
    'Conv2DBackpropInput',
    'Cos',
    'Erf',
    'Exp',
    'Fill',
    'GatherV2',
    'Greater',
    'Identity',
    'Log',
    'Max',
    'Maximum',
  ],
  ...[
    'Mean',
    'Multiply',
    'Neg',
    'PadV2',
    'Pow',
    'RealDiv',
    'Relu',
    'Reshape',
    'ResizeNearestNeighbor',
    'Reverse',
  ],
  ...[
    'Rsqrt',
    'Select',
    'Sigmoid',
    'Sin',
    'Slice',
    'Softmax',
    'SplitV',
    'Sqrt',
    'Square',
    'Sub',
    'Sum',
    'Tanh',
  ],
  ...['Tile', 'Transpose', 'UnsortedSegmentSum', '_FusedMatMul', 'FusedConv2D', 'Einsum', 'ResizeBilinear'],
]

/**
 * The kernels that the active backend lacks, of those that diffusion networks use. An empty list is a promise that
 * every layer of this library runs, and trains.
 */
export function missingKernels(): readonly string[] {
  const here = new Set(tf.getKernelsForBackend(tf.getBackend()).map(({ kernelName }) => kernelName))
  return needed.filter((name) => !here.has(name))
}
