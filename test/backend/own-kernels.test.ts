import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasOwnKernel, type OwnKernel, torchRandn, valueAndGradients } from '../../src/core/index.js'
import { type TransformerParameters, transformer } from '../../src/models/unet/transformer.js'
import {
  attention,
  conv2dPlus,
  geglu,
  gelu,
  groupNorm,
  groupNormSilu,
  layerNorm,
  linear,
  linearPlus,
  quickGelu,
  type ResnetBlockParameters,
  resnetBlock,
  silu,
} from '../../src/nn/index.js'
import { adamW, adamWState, average } from '../../src/training/index.js'
import { withoutKernels } from '../support/without-kernels.js'

const backend = process.env.CONTRAFACT_BACKEND ?? 'wasm'
const native = backend === 'tensorflow'

test.runIf(native)('install-tensorflow compiled the kernels', () => {
  expect(hasOwnKernel('Attention')).toBe(true)
})

type Values = Float32Array

interface Layer {
  readonly kernels: readonly OwnKernel[]
  /** Shapes of the inputs, which are differentiated by. */
  readonly shapes: readonly (readonly number[])[]
  readonly run: (...inputs: tf.Tensor[]) => tf.Tensor
  /** By how much a rounding error of the input may be larger in the results; 1 by default. */
  readonly steepness?: (...inputs: tf.Tensor[]) => Promise<number>
}

const size = (max: number) => fc.integer({ min: 1, max })
type Norm = { weight: tf.Tensor1D; bias: tf.Tensor1D }

const epsilon = 1e-5

/** A norm divides by the deviation of a group: of one or two numbers it may be next to nothing. */
async function largestInverse(groups: () => tf.Tensor, axes: number[]): Promise<number> {
  const least = tf.tidy(() => tf.min(tf.moments(groups(), axes).variance))
  const [variance] = await read([least])
  return Math.max(1, (variance![0]! + epsilon) ** -0.5)
}

/** The values of tensors, which are disposed of. */
async function read(tensors: readonly tf.Tensor[]): Promise<Values[]> {
  const values = await Promise.all(tensors.map(async (tensor) => (await tensor.data()) as Values))
  tf.dispose([...tensors])
  return values
}

// Sizes on both sides of a vector, of a tile of the product, and of what a thread takes at once.
const layers: Readonly<Record<string, fc.Arbitrary<Layer>>> = {
  attention: fc
    .record({
      batch: size(2),
      heads: size(3),
      depth: size(70),
      queries: size(150),
      keys: size(600),
      causal: fc.boolean(),
    })
    .map(({ batch, heads, depth, queries, keys: any, causal }) => {
      const [channels, keys] = [heads * depth, causal ? queries : any]
      return {
        kernels: ['Attention', 'AttentionGrad'],
        shapes: [
          [batch, queries, channels],
          [batch, keys, channels],
          [batch, keys, channels],
        ],
        run: (q, k, v) => attention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, heads, { causal }),
      }
    }),
  groupNorm: fc
    .record({ batch: size(3), height: size(40), width: size(20), groups: size(5), each: size(40) })
    .map(({ batch, height, width, groups, each }) => ({
      kernels: ['GroupNorm', 'GroupNormGrad'],
      shapes: [[batch, height, width, groups * each], [groups * each], [groups * each]],
      run: (x, weight, bias) => groupNorm({ weight, bias } as Norm, x as tf.Tensor4D, groups, epsilon),
      steepness: (x) => largestInverse(() => tf.reshape(x, [batch, height * width, groups, each]), [1, 3]),
    })),
  groupNormSilu: fc
    .record({ batch: size(3), height: size(40), groups: size(5), each: size(40) })
    .map(({ batch, height, groups, each }) => ({
      kernels: ['GroupNormSilu', 'GroupNorm', 'GroupNormGrad', 'Swish', 'SwishGrad'],
      shapes: [[batch, height, 3, groups * each], [groups * each], [groups * each]],
      run: (x, weight, bias) => groupNormSilu({ weight, bias } as Norm, x as tf.Tensor4D, groups, epsilon),
      steepness: (x) => largestInverse(() => tf.reshape(x, [batch, height * 3, groups, each]), [1, 3]),
    })),
  layerNorm: fc.record({ rows: size(70), width: size(100) }).map(({ rows, width }) => ({
    kernels: ['LayerNorm', 'LayerNormGrad'],
    shapes: [[2, rows, width + 1], [width + 1], [width + 1]],
    run: (x, weight, bias) => layerNorm({ weight, bias } as Norm, x, epsilon),
    steepness: (x) => largestInverse(() => x, [2]),
  })),
  linear: fc.record({ rows: size(300), width: size(200), out: size(100) }).map(({ rows, width, out }) => ({
    kernels: ['Linear'],
    shapes: [[rows, width], [width, out], [out]],
    run: (x, weight, bias) => linear({ weight: weight as tf.Tensor2D, bias: bias as tf.Tensor1D }, x),
  })),
  linearPlus: fc
    .record({ rows: size(300), width: size(200), out: size(100) })
    .map(({ rows, width, out }) => ({
      kernels: ['LinearPlus', 'Linear'],
      shapes: [[rows, width], [width, out], [out], [rows, out]],
      run: (x, weight, bias, plus) =>
        linearPlus({ weight: weight as tf.Tensor2D, bias: bias as tf.Tensor1D }, x, plus),
    })),
  conv2dPlus: fc.record({ side: size(20), width: size(20), out: size(40) }).map(({ side, width, out }) => ({
    kernels: ['Convolve', 'Linear'],
    shapes: [[2, side, side, width], [3, 3, width, out], [out], [2, side, side, out]],
    run: (x, weight, bias, plus) =>
      conv2dPlus(
        { weight: weight as tf.Tensor4D, bias: bias as tf.Tensor1D },
        x as tf.Tensor4D,
        plus as tf.Tensor4D,
      ),
  })),
  silu: size(3000).map((n) => ({ kernels: ['Swish', 'SwishGrad'], shapes: [[n]], run: (x) => silu(x) })),
  quickGelu: size(3000).map((n) => ({
    kernels: ['Swish', 'SwishGrad'],
    shapes: [[n]],
    run: (x) => quickGelu(x),
  })),
  gelu: size(3000).map((n) => ({ kernels: ['Gelu', 'GeluGrad'], shapes: [[n]], run: (x) => gelu(x) })),
  geglu: fc.record({ rows: size(50), width: size(90) }).map(({ rows, width }) => ({
    kernels: ['Geglu', 'GegluGrad'],
    shapes: [[2, rows, 2 * width]],
    run: (x) => geglu(x as tf.Tensor3D),
  })),
}

const blocks: Readonly<Record<string, fc.Arbitrary<Layer>>> = {
  resnetBlock: fc
    .record({ batch: size(3), side: size(12), each: size(20), out: size(20), time: fc.boolean() })
    .map(({ batch, side, each, out, time }) => ({
      kernels: ['ResnetBlock'],
      shapes: [
        [batch, side, side, 2 * each],
        ...(time ? [[batch, 5]] : []),
        ...[[2 * each], [2 * each], [3, 3, 2 * each, 2 * out], [2 * out]],
        ...[[2 * out], [2 * out], [3, 3, 2 * out, 2 * out], [2 * out]],
        ...(each === out ? [] : [[1, 1, 2 * each, 2 * out], [2 * out]]),
        ...(time ? [[5, 2 * out], [2 * out]] : []),
      ],
      run: (x, ...rest) => {
        const at = time ? rest.shift() : undefined
        const layer = () => ({ weight: rest.shift(), bias: rest.shift() })
        const parameters = { norm1: layer(), conv1: layer(), norm2: layer(), conv2: layer() }
        const shortcut = each === out ? {} : { conv_shortcut: layer() }
        const projection = time ? { time_emb_proj: layer() } : {}
        const all = { ...parameters, ...shortcut, ...projection } as unknown as ResnetBlockParameters
        return resnetBlock(all, x as tf.Tensor4D, { groups: 2, epsilon: 0.1 }, at as tf.Tensor2D | undefined)
      },
    })),
  transformer: fc
    .record({
      batch: size(2),
      side: size(9),
      heads: size(3),
      depth: size(20),
      keys: size(90),
      linear: fc.boolean(),
    })
    .map(({ batch, side, heads, depth, keys, linear }) => {
      const channels = heads * depth
      const square = [channels, channels]
      const project = linear ? square : [1, 1, ...square]
      const norm = [[channels], [channels]]
      return {
        kernels: ['Transformer'],
        shapes: [
          [batch, side, side, channels],
          [batch, keys, 7],
          ...[...norm, project, [channels], ...norm, square, square, square, square, [channels]],
          ...[...norm, square, [7, channels], [7, channels], square, [channels]],
          ...[...norm, [channels, 8 * channels], [8 * channels], [4 * channels, channels], [channels]],
          ...[project, [channels]],
        ],
        run: (x, context, ...rest) => {
          const layer = () => ({ weight: rest.shift(), bias: rest.shift() })
          const matrix = () => ({ weight: rest.shift() })
          const attends = () => ({ to_q: matrix(), to_k: matrix(), to_v: matrix(), to_out: [layer()] })
          const before = { norm: layer(), proj_in: layer() }
          const attentions = { norm1: layer(), attn1: attends(), norm2: layer(), attn2: attends() }
          const block = { ...attentions, norm3: layer(), ff: { net: { 0: { proj: layer() }, 2: layer() } } }
          const parameters = { ...before, transformer_blocks: [block], proj_out: layer() }
          return transformer(
            parameters as unknown as TransformerParameters,
            x as tf.Tensor4D,
            context as tf.Tensor3D,
            { heads, groups: 1 },
          )
        },
      }
    }),
}

// In software a webgpu kernel takes its time.
const numRuns = backend === 'webgpu' ? 6 : 25

describe('a kernel of the library and the operations that it stands for', () => {
  test.each(Object.entries(layers))('agree on %s, gradients included', async (_, layer) => {
    await fc.assert(
      fc.asyncProperty(layer, async ({ kernels: all, shapes, run, steepness }) => {
        const kernels = all.filter(hasOwnKernel)
        const inputs = shapes.map((shape, i) => tf.randomNormal([...shape], 0.3, 1.5, 'float32', i + 1))
        const weights = tf.tidy(() => tf.randomNormal(run(...inputs).shape, 0, 1, 'float32', 9))
        const results = () => {
          const { value, gradients } = valueAndGradients(
            (...of) => tf.sum(tf.mul(run(...of), weights)) as tf.Scalar,
            inputs,
          )
          value.dispose()
          return [run(...inputs), ...gradients]
        }
        expect(kernels.length).toBeGreaterThan(0)
        const scale = (await steepness?.(...inputs)) ?? 1
        expectClose(await read(results()), await read(withoutKernels(kernels, results)), scale)
        tf.dispose([...inputs, weights])
      }),
      { numRuns },
    )
  })

  test.runIf(native)('agree on a step of AdamW and on an average', () => {
    fc.assert(
      fc.property(size(5000), fc.integer({ min: 0, max: 5 }), (n, done) => {
        const [theta, gradient, mean, noise] = [1, 2, 3, 4].map((seed) =>
          tf.randomNormal([n], 0, 1, 'float32', seed),
        )
        const square = tf.square(noise!)
        const named = (t: tf.Tensor) => new Map([['a', t]])
        const state = { ...adamWState(new Map()), step: done, mean: named(mean!), square: named(square) }
        const results = () => {
          const update = adamW(named(theta!), named(gradient!), state, 0.01, { weightDecay: 0.1 })
          const mixed = average(named(theta!), named(gradient!), 0.9, done)
          const tensors = [update.parameters, update.state.mean, update.state.square, mixed].map(
            (map) => map.get('a')!,
          )
          const data = tensors.map((t) => t.dataSync() as Values)
          tf.dispose(tensors)
          return data
        }
        expectClose(results(), withoutKernels(['AdamW', 'Mix'], results))
        tf.dispose([theta!, gradient!, mean!, noise!, square])
      }),
      { numRuns: 25 },
    )
  })

  test.runIf(native)('draw the numbers of the same stream, and leave it where it was left', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 4 }),
        (seed, counts) => {
          const [one, other] = [torchRandn(seed), torchRandn(seed)]
          for (const count of counts) {
            const drawn = one.normalTensor<tf.Rank.R1>([count])
            expectClose([drawn.dataSync() as Values], [other.normal(count)])
            drawn.dispose()
            expect(one.uniform(3)).toEqual(other.uniform(3))
          }
          expect(torchRandn(one.state()).normal(20)).toEqual(other.normal(20))
        },
      ),
      { numRuns: 25 },
    )
  })

  test('agree on numbers at the ends: nothing is NaN that need not be', async () => {
    const x = tf.tensor1d([-3e38, -200, -88, -20, -0, 0, 20, 88, 200, 3e38])
    for (const of of [silu, quickGelu, gelu] as const) {
      const values = [...(await read([of(x)]))[0]!]
      expect(values.slice(0, 4).every((value) => value <= 0 && value > -1e-6)).toBe(true)
      // Some processors divide by an estimate that they improve: the last bit is theirs.
      for (const [i, value] of [20, 88, 200, 3e38].entries())
        expect(Math.abs(values[6 + i]! / value - 1)).toBeLessThan(2e-7)
    }
    x.dispose()
  })

  test('attention of scores far apart is that of the largest', async () => {
    const q = tf.tensor3d([1000, -1000], [1, 2, 1])
    const k = tf.tensor3d([1, -1, 0.5], [1, 3, 1])
    const v = tf.tensor3d([1, 2, 3], [1, 3, 1])
    expect([...(await read([attention(q, k, v, 1)]))[0]!]).toEqual([1, 2])
    tf.dispose([q, k, v])
  })
})

test.runIf(backend === 'wasm').each(Object.entries(blocks))(
  '%s at once is its layers, one after the other',
  (_, block) => {
    fc.assert(
      fc.property(block, ({ kernels, shapes, run }) => {
        const inputs = shapes.map((shape, i) => tf.randomNormal([...shape], 0.3, 1.5, 'float32', i + 1))
        const results = () => {
          const y = run(...inputs)
          const data = y.dataSync() as Values
          y.dispose()
          return [data]
        }
        expectClose(results(), withoutKernels(kernels, results))
        tf.dispose(inputs)
      }),
      { numRuns: 25 },
    )
  },
)

function expectClose(found: readonly Values[], wanted: readonly Values[], steepness = 1): void {
  for (const [i, values] of wanted.entries()) {
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), steepness)
    expect(found[i]!.length).toBe(values.length)
    for (const [j, value] of values.entries()) {
      if (!(Math.abs(found[i]![j]! - value) <= 3e-5 * scale))
        expect.fail(`result ${i}, value ${j}: ${found[i]![j]}, not ${value}, of values up to ${scale}`)
    }
  }
}
