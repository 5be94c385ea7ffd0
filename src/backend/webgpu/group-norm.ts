import * as tf from '@tensorflow/tfjs'
import { sigmoid } from './elementwise.js'
import { groupsOfThreads, type Program, type ProgramBackend, runProgram } from './program.js'
import { entry, perThread, summing } from './wgsl.js'

const threads = 256

/*
 * Group norm. A workgroup is a stretch of the pixels (x) of a group (y) of a sample (z): of a large map many share a group,
 * and first leave what they know of their stretch for each other.
 */

const groupSizes = ['pixels', 'channels', 'each', 'stretch', 'stretches'] as const

const stretch = `
  let first = group.x * sizes.stretch;
  let count = (min(first + sizes.stretch, sizes.pixels) - first) * sizes.each;
  let start = (group.z * sizes.pixels + first) * sizes.channels + group.y * sizes.each;
  let ofGroup = group.z * groups.y + group.y;
  let members = f32(sizes.pixels * sizes.each);`

const overStretch = (body: string): string => `
  for (var e = thread; e < count; e += ${threads}u) {
    let channel = group.y * sizes.each + e % sizes.each;
    let at = start + e / sizes.each * sizes.channels + e % sizes.each;
    ${body}
  }`

// Of a stretch: its mean, and the sum of the squared distances from it.
const spreadOfStretch = `
  var sum = 0.0;
  ${overStretch('sum += x[at];')}
  let mean = sumOver(vec2f(sum, 0.0), thread).x / f32(count);
  var squares = 0.0;
  ${overStretch('let distance = x[at] - mean; squares += distance * distance;')}
  let spread = sumOver(vec2f(squares, 0.0), thread).x;`

const statisticsProgram: Program = {
  name: 'GroupNorm statistics',
  inputs: { x: 'f32' },
  outputs: { statistics: 'f32' },
  sizes: groupSizes,
  code: summing(
    threads,
    `${stretch}${spreadOfStretch}
  if (thread == 0u) {
    let at = 2u * (ofGroup * sizes.stretches + group.x);
    statistics[at] = mean;
    statistics[at + 1u] = spread;
  }`,
  ),
}

// The statistics of stretches as those of their group (Chan et al. 1979).
const spreadOfGroup = `
  var sum = 0.0;
  for (var other = thread; other < sizes.stretches; other += ${threads}u) {
    sum += f32(sizeOf(other)) * statistics[2u * (ofGroup * sizes.stretches + other)];
  }
  let mean = sumOver(vec2f(sum, 0.0), thread).x / members;
  var squares = 0.0;
  for (var other = thread; other < sizes.stretches; other += ${threads}u) {
    let at = 2u * (ofGroup * sizes.stretches + other);
    let distance = statistics[at] - mean;
    squares += statistics[at + 1u] + f32(sizeOf(other)) * distance * distance;
  }
  let spread = sumOver(vec2f(squares, 0.0), thread).x;`

// With the statistics of stretches, or of a group that is one stretch at once.
const normalProgram = (silu: boolean, stretches: boolean): Program => ({
  name: silu ? 'GroupNormSilu' : 'GroupNorm',
  inputs: {
    ...{ x: 'f32', weight: 'f32', bias: 'f32' },
    ...(stretches && ({ statistics: 'f32' } as const)),
  },
  outputs: { y: 'f32', ...(!silu && ({ means: 'f32', inverses: 'f32' } as const)) },
  sizes: groupSizes,
  reals: ['epsilon'],
  code: summing(
    threads,
    `${stretch}${stretches ? spreadOfGroup : spreadOfStretch}
  let inverse = inverseSqrt(spread / members + sizes.epsilon);
  ${overStretch(`let value = (x[at] - mean) * inverse * weight[channel] + bias[channel];
    y[at] = ${silu ? 'value * sigmoid(value)' : 'value'};`)}
  ${silu ? '' : 'if (group.x == 0u && thread == 0u) { means[ofGroup] = mean; inverses[ofGroup] = inverse; }'}`,
    `${silu ? sigmoid : ''}
fn sizeOf(other: u32) -> u32 {
  return (min((other + 1u) * sizes.stretch, sizes.pixels) - other * sizes.stretch) * sizes.each;
}`,
  ),
})
const normalPrograms = {
  plain: { atOnce: normalProgram(false, false), byStretches: normalProgram(false, true) },
  silu: { atOnce: normalProgram(true, false), byStretches: normalProgram(true, true) },
}

interface Groups {
  readonly sizes: readonly number[]
  readonly groups: readonly [x: number, y: number, z: number]
}

// A workgroup takes up to 65,536 numbers, which is quicker than two programs; of more it takes 16,384.
function groupsOf(x: tf.TensorInfo, groups: number): Groups {
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!]
  const pixels = tf.util.sizeFromShape(x.shape) / (batch * channels)
  const each = channels / groups
  const few = pixels * each <= 2 ** 16
  const pixelsOfStretch = few ? pixels : Math.max(1, Math.ceil(2 ** 14 / each))
  const stretches = Math.ceil(pixels / pixelsOfStretch)
  return { sizes: [pixels, channels, each, pixelsOfStretch, stretches], groups: [stretches, groups, batch] }
}

/**
 * Group norm: the result, and unless SiLU follows at once, mean and inverse deviation `[batch, 1, groups]`; all owned by the
 * caller.
 */
export function groupNorm(
  backend: ProgramBackend,
  { x, weight, bias }: Readonly<Record<'x' | 'weight' | 'bias', tf.TensorInfo>>,
  { groups, epsilon }: { readonly groups: number; readonly epsilon: number },
  silu: boolean,
): readonly tf.TensorInfo[] {
  const of = groupsOf(x, groups)
  const { atOnce, byStretches } = normalPrograms[silu ? 'silu' : 'plain']
  const perGroup = [x.shape[0]!, 1, groups]
  const run = {
    ...of,
    shapes: silu ? [x.shape] : [x.shape, perGroup, perGroup],
    reals: [epsilon],
  }
  const [stretches] = of.groups
  if (stretches === 1) return runProgram(backend, atOnce, { ...run, inputs: [x, weight, bias] })
  const shape = [x.shape[0]!, groups, stretches, 2]
  const [statistics] = runProgram(backend, statisticsProgram, { ...of, inputs: [x], shapes: [shape] })
  const results = runProgram(backend, byStretches, { ...run, inputs: [x, weight, bias, statistics!] })
  backend.disposeData(statistics!.dataId)
  return results
}

const channelsAtOnce = 32
const lanes = threads / channelsAtOnce

// Of every channel (x) in a stretch of pixels (y) of a sample (z), the sums of dy n and of dy; n are the normal numbers.
const channelSumsProgram: Program = {
  name: 'GroupNormGrad sums',
  inputs: { dy: 'f32', x: 'f32', means: 'f32', inverses: 'f32' },
  outputs: { sums: 'vec2f' },
  sizes: groupSizes,
  code: `
var<workgroup> partial: array<vec2f, ${threads}>;
${entry(
  threads,
  `
  let channel = group.x * ${channelsAtOnce}u + thread % ${channelsAtOnce}u;
  var sum = vec2f();
  if (channel < sizes.channels) {
    let ofGroup = group.z * (sizes.channels / sizes.each) + channel / sizes.each;
    let mean = means[ofGroup];
    let inverse = inverses[ofGroup];
    let end = min((group.y + 1u) * sizes.stretch, sizes.pixels);
    for (var pixel = group.y * sizes.stretch + thread / ${channelsAtOnce}u; pixel < end; pixel += ${lanes}u) {
      let at = (group.z * sizes.pixels + pixel) * sizes.channels + channel;
      sum += dy[at] * vec2f((x[at] - mean) * inverse, 1.0);
    }
  }
  partial[thread] = sum;
  workgroupBarrier();
  if (thread < ${channelsAtOnce}u && channel < sizes.channels) {
    for (var lane = 1u; lane < ${lanes}u; lane++) { sum += partial[lane * ${channelsAtOnce}u + thread]; }
    sums[(group.z * groups.y + group.y) * sizes.channels + channel] = sum;
  }`,
)}`,
}

// The parts of every channel's sums together.
const channelTotalsProgram: Program = {
  name: 'GroupNormGrad totals',
  inputs: { sums: 'vec2f' },
  outputs: { products: 'f32', totals: 'f32' },
  sizes: ['size', 'channels', 'parts'],
  code: perThread(`let first = i / sizes.channels * sizes.parts * sizes.channels + i % sizes.channels;
  var total = vec2f();
  for (var part = 0u; part < sizes.parts; part++) { total += sums[first + part * sizes.channels]; }
  products[i] = total.x;
  totals[i] = total.y;`),
}

// dx = (w dy − mean(w dy) − n mean(w dy n)) / deviation, with means over the group.
const groupGradProgram: Program = {
  name: 'GroupNormGrad',
  inputs: {
    ...{ dy: 'f32', x: 'f32', weight: 'f32' },
    ...{ means: 'f32', inverses: 'f32', products: 'f32', totals: 'f32' },
  },
  outputs: { dx: 'f32' },
  sizes: groupSizes,
  code: summing(
    threads,
    `${stretch}
  var sum = vec2f();
  for (var e = thread; e < sizes.each; e += ${threads}u) {
    let channel = group.y * sizes.each + e;
    let at = group.z * sizes.channels + channel;
    sum += weight[channel] * vec2f(products[at], totals[at]);
  }
  let averages = sumOver(sum, thread) / members;
  let mean = means[ofGroup];
  let inverse = inverses[ofGroup];
  ${overStretch(`let normal = (x[at] - mean) * inverse;
    dx[at] = (weight[channel] * dy[at] - averages.y - normal * averages.x) * inverse;`)}`,
  ),
}

/** Its gradient: by `x`, and per sample and channel `[batch, 1, channels]` by the weight and by the bias. */
export function groupNormGrad(
  backend: ProgramBackend,
  inputs: Readonly<Record<'dy' | 'x' | 'weight' | 'mean' | 'inverse', tf.TensorInfo>>,
  groups: number,
): readonly tf.TensorInfo[] {
  const { dy, x, weight, mean, inverse } = inputs
  const of = groupsOf(x, groups)
  const [pixels, channels, each] = of.sizes as [number, number, number]
  const batch = x.shape[0]!
  const pixelsOfPart = Math.min(pixels, 256)
  const parts = Math.ceil(pixels / pixelsOfPart)
  const [sums] = runProgram(backend, channelSumsProgram, {
    inputs: [dy, x, mean, inverse],
    shapes: [[batch, parts, channels, 2]],
    sizes: [pixels, channels, each, pixelsOfPart, parts],
    groups: [Math.ceil(channels / channelsAtOnce), parts, batch],
  })
  const perChannel = [batch, 1, channels]
  const totals = runProgram(backend, channelTotalsProgram, {
    inputs: [sums!],
    shapes: [perChannel, perChannel],
    sizes: [batch * channels, channels, parts],
    groups: groupsOfThreads(backend.device, batch * channels),
  })
  backend.disposeData(sums!.dataId)
  const gradient = { inputs: [dy, x, weight, mean, inverse, ...totals], shapes: [x.shape] }
  return [...runProgram(backend, groupGradProgram, { ...of, ...gradient }), ...totals]
}
