import * as tf from '@tensorflow/tfjs'
import { flatGroups, type Program, type ProgramBackend, runProgram } from './program.js'
import { flatGroup, summing } from './wgsl.js'

/* A workgroup is a row. */

const rowThreads = 64

const row = `
  let line = ${flatGroup};
  if (line >= sizes.rows) { return; }
  let start = line * sizes.width;
  let width = f32(sizes.width);
  var sum = 0.0;
  for (var e = thread; e < sizes.width; e += ${rowThreads}u) { sum += x[start + e]; }
  let mean = sumOver(vec2f(sum, 0.0), thread).x / width;
  var squares = 0.0;
  for (var e = thread; e < sizes.width; e += ${rowThreads}u) {
    let distance = x[start + e] - mean;
    squares += distance * distance;
  }
  let inverse = inverseSqrt(sumOver(vec2f(squares, 0.0), thread).x / width + sizes.epsilon);`

const layerProgram: Program = {
  name: 'LayerNorm',
  inputs: { x: 'f32', weight: 'f32', bias: 'f32' },
  outputs: { y: 'f32' },
  sizes: ['rows', 'width'],
  reals: ['epsilon'],
  code: summing(
    rowThreads,
    `${row}
  for (var e = thread; e < sizes.width; e += ${rowThreads}u) {
    y[start + e] = (x[start + e] - mean) * inverse * weight[e] + bias[e];
  }`,
  ),
}

const layerGradProgram: Program = {
  name: 'LayerNormGrad',
  inputs: { dy: 'f32', x: 'f32', weight: 'f32' },
  outputs: { dx: 'f32' },
  sizes: ['rows', 'width'],
  reals: ['epsilon'],
  code: summing(
    rowThreads,
    `${row}
  var products = vec2f();
  for (var e = thread; e < sizes.width; e += ${rowThreads}u) {
    products += weight[e] * dy[start + e] * vec2f((x[start + e] - mean) * inverse, 1.0);
  }
  let averages = sumOver(products, thread) / width;
  for (var e = thread; e < sizes.width; e += ${rowThreads}u) {
    let normal = (x[start + e] - mean) * inverse;
    dx[start + e] = (weight[e] * dy[start + e] - averages.y - normal * averages.x) * inverse;
  }`,
  ),
}

function overRows(
  backend: ProgramBackend,
  program: Program,
  inputs: readonly tf.TensorInfo[],
  x: tf.TensorInfo,
  epsilon: number,
): tf.TensorInfo {
  const width = x.shape.at(-1)!
  const rows = tf.util.sizeFromShape(x.shape) / width
  const groups = flatGroups(backend.device, rows)
  const [result] = runProgram(backend, program, {
    ...{ inputs, groups, shapes: [x.shape] },
    ...{ sizes: [rows, width], reals: [epsilon] },
  })
  return result!
}

/** Layer norm over the last axis. */
export const layerNorm = (
  backend: ProgramBackend,
  { x, weight, bias }: Readonly<Record<'x' | 'weight' | 'bias', tf.TensorInfo>>,
  epsilon: number,
): tf.TensorInfo => overRows(backend, layerProgram, [x, weight, bias], x, epsilon)

/** Its gradient by `x`. */
export const layerNormGrad = (
  backend: ProgramBackend,
  { dy, x, weight }: Readonly<Record<'dy' | 'x' | 'weight', tf.TensorInfo>>,
  epsilon: number,
): tf.TensorInfo => overRows(backend, layerGradProgram, [dy, x, weight], x, epsilon)
