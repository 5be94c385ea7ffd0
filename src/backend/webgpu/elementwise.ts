import * as tf from '@tensorflow/tfjs'
import { groupsOfThreads, type Program, type ProgramBackend, runProgram } from './program.js'
import { perThread } from './wgsl.js'

/** A program with one thread for every number of its result, `i`. */
function elementwise(
  name: string,
  inputs: readonly string[],
  value: string,
  more: { functions?: string; sizes?: readonly string[]; reals?: readonly string[] } = {},
): Program {
  const { functions = '', sizes = [], reals = [] } = more
  return {
    name,
    inputs: Object.fromEntries(inputs.map((input) => [input, 'f32'])),
    outputs: { result: 'f32' },
    sizes: ['size', ...sizes],
    reals,
    code: `${functions}${perThread(value)}`,
  }
}

function run(
  backend: ProgramBackend,
  program: Program,
  inputs: readonly tf.TensorInfo[],
  shape: readonly number[],
  values: { sizes?: readonly number[]; reals?: readonly number[] } = {},
): tf.TensorInfo {
  const size = tf.util.sizeFromShape([...shape])
  const [result] = runProgram(backend, program, {
    inputs,
    shapes: [shape],
    sizes: [size, ...(values.sizes ?? [])],
    reals: values.reals ?? [],
    groups: groupsOfThreads(backend.device, size),
  })
  return result!
}

/** WGSL: `1 / (1 + e^-x)` without `e^x` of a large `x`, which WGSL leaves open. */
export const sigmoid = `
fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}`

// Abramowitz & Stegun 7.1.26: the error function to 1.5e-7, by the tail e^(-x²) p(1 / (1 + 0.3275911 x)).
const gelu = `
fn normalCdf(x: f32) -> f32 {
  let z = abs(x) * 0.7071067811865476;
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let tail = 0.5 * t * exp(-z * z) *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return select(tail, 1.0 - tail, x >= 0.0);
}
fn slope(x: f32) -> f32 { return normalCdf(x) + x * 0.3989422804014327 * exp(-0.5 * x * x); }`

const swishProgram = elementwise('Swish', ['x'], 'result[i] = x[i] * sigmoid(sizes.scale * x[i]);', {
  functions: sigmoid,
  reals: ['scale'],
})
const swishGradProgram = elementwise(
  'SwishGrad',
  ['dy', 'x'],
  `let s = sigmoid(sizes.scale * x[i]);
  result[i] = dy[i] * s * (1.0 + sizes.scale * x[i] * (1.0 - s));`,
  { functions: sigmoid, reals: ['scale'] },
)
const geluProgram = elementwise('Gelu', ['x'], 'result[i] = x[i] * normalCdf(x[i]);', { functions: gelu })
const geluGradProgram = elementwise('GeluGrad', ['dy', 'x'], 'result[i] = dy[i] * slope(x[i]);', {
  functions: gelu,
})
const gegluProgram = elementwise(
  'Geglu',
  ['x'],
  `let value = i / sizes.width * 2u * sizes.width + i % sizes.width;
  let gate = x[value + sizes.width];
  result[i] = x[value] * gate * normalCdf(gate);`,
  { functions: gelu, sizes: ['width'] },
)
const gegluGradProgram = elementwise(
  'GegluGrad',
  ['dy', 'x'],
  `let column = i % (2u * sizes.width);
  let row = i / (2u * sizes.width);
  let upstream = dy[row * sizes.width + column % sizes.width];
  if (column < sizes.width) {
    let gate = x[i + sizes.width];
    result[i] = upstream * gate * normalCdf(gate);
  } else {
    result[i] = upstream * x[i - sizes.width] * slope(x[i]);
  }`,
  { functions: gelu, sizes: ['width'] },
)

/** `x σ(s x)`. */
export const swish = (backend: ProgramBackend, x: tf.TensorInfo, scale: number): tf.TensorInfo =>
  run(backend, swishProgram, [x], x.shape, { reals: [scale] })

/** Its gradient by `x`. */
export const swishGrad = (
  backend: ProgramBackend,
  dy: tf.TensorInfo,
  x: tf.TensorInfo,
  scale: number,
): tf.TensorInfo => run(backend, swishGradProgram, [dy, x], x.shape, { reals: [scale] })

/** `x Φ(x)`. */
export const geluOf = (backend: ProgramBackend, x: tf.TensorInfo): tf.TensorInfo =>
  run(backend, geluProgram, [x], x.shape)

/** Its gradient by `x`. */
export const geluGrad = (backend: ProgramBackend, dy: tf.TensorInfo, x: tf.TensorInfo): tf.TensorInfo =>
  run(backend, geluGradProgram, [dy, x], x.shape)

/** The first half of every row times the GELU of the second. */
export function geglu(backend: ProgramBackend, x: tf.TensorInfo): tf.TensorInfo {
  const width = x.shape.at(-1)! / 2
  return run(backend, gegluProgram, [x], [...x.shape.slice(0, -1), width], { sizes: [width] })
}

/** Its gradient by `x`. */
export const gegluGrad = (backend: ProgramBackend, dy: tf.TensorInfo, x: tf.TensorInfo): tf.TensorInfo =>
  run(backend, gegluGradProgram, [dy, x], x.shape, { sizes: [dy.shape.at(-1)!] })
