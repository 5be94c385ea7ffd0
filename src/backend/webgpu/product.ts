import type * as tf from '@tensorflow/tfjs'
import { productProgram, productSizes, tileBytes } from './product-program.js'
import { type Left, type Right, type Tile, tileSides } from './product-sides.js'
import {
  flatGroups,
  groupsOfThreads,
  type Program,
  type ProgramBackend,
  type Run,
  remembered,
  runProgram,
} from './program.js'
import { once, perThread } from './wgsl.js'

type Sizes = Readonly<Record<(typeof productSizes)[number], number>>

/** What a product is made of. */
export interface Operands {
  readonly left: tf.TensorInfo
  readonly right: tf.TensorInfo
  /** `[n]` */
  readonly bias?: tf.TensorInfo | undefined
  /** Of the result's shape. */
  readonly plus?: tf.TensorInfo | undefined
  /** What the result is written into. */
  readonly into?: tf.TensorInfo
}

/** A product of matrices, or many of the same size. */
export interface Product {
  readonly left: Left
  readonly right: Right
  /** Of the result. */
  readonly shape: readonly number[]
  /** Rows. */
  readonly m: number
  /** Columns. */
  readonly n: number
  /** Terms of a sum, at each tap of a convolution. */
  readonly channels: number
  /** Matrices; 1 by default. */
  readonly heads?: number
  /** Whatever is not one matrix after the other without a gap, and the windows of a convolution. */
  readonly sizes?: Partial<Sizes>
  /** Adds to what the result holds. */
  readonly more?: boolean
}

/**
 * Multiplies. Of small products several workgroups share the terms of a sum, and a second program adds up the parts.
 *
 * @param of - the matrices
 * @param key - tells this kind of product from all others: it is described once
 * @returns the result, owned by the caller
 */
export function multiply(
  backend: ProgramBackend,
  of: Operands,
  key: string,
  product: () => Product,
): tf.TensorInfo {
  const { left, right, bias, plus, into } = of
  const form = `${key},${bias ? 'b' : ''}${plus ? 'p' : ''}${into ? 'i' : ''}`
  const { run, program, sum } = plans(backend.device, form, () => planOf(backend, of, product()))
  const extras = [bias, plus].filter((t) => t !== undefined)
  const inputs = sum ? [left, right] : [left, right, ...extras]
  const [result] = runProgram(backend, program, { ...run, inputs, ...(into && { into: [into] }) })
  if (!sum) return result!
  const [whole] = runProgram(backend, sum.program, { ...sum.run, inputs: [result!, ...extras] })
  backend.disposeData(result!.dataId)
  return whole!
}

type Fixed = Omit<Run, 'inputs' | 'into'>

interface Plan {
  readonly program: Program
  readonly run: Fixed
  /** Of the parts, if there are any. */
  readonly sum?: { readonly program: Program; readonly run: Fixed }
}

const plans = remembered<Plan>(4096)

function planOf(backend: ProgramBackend, operands: Operands, product: Product): Plan {
  const { left, right, shape, m, n, channels, heads = 1, sizes: given = {}, more = false } = product
  const taps = (given.kernelHeight ?? 1) * (given.kernelWidth ?? 1)
  // Of a single matrix no stride matters, nor whether it is divisible by four.
  const along = (stride: number) => (heads > 1 ? stride : 0)
  const strides = {
    ...{ leftFirst: 0, leftRow: left === 'turned' ? m : channels, leftHead: along(m * channels) },
    ...{ rightFirst: 0, rightRow: right === 'turned' ? channels : n, rightHead: along(taps * n * channels) },
    ...{ resultFirst: 0, resultRow: n, resultHead: along(m * n) },
    ...given,
  }
  const isWide = (...numbers: number[]) => numbers.every((number) => number % 4 === 0)
  const wide = {
    left: isWide(strides.leftFirst, strides.leftRow, strides.leftHead),
    right: isWide(strides.rightFirst, strides.rightRow, strides.rightHead),
    result: isWide(strides.resultFirst, strides.resultRow, strides.resultHead),
  }
  const tile = tileFor(backend, m, n, heads)
  const [across, down] = groupsOf(tile, m, n)
  const steps = Math.ceil(channels / tile.depth) * taps
  const splits = operands.into ? 1 : splitsFor(across * down * heads, steps)
  const [bias, plus] = [Boolean(operands.bias), Boolean(operands.plus)]
  const whole = splits === 1
  const groups = across * down * heads * splits
  const values: Partial<Sizes> = {
    ...{ m, n, channels, splits, steps: Math.ceil(steps / splits), across, down, groups },
    ...{ kernelHeight: 1, kernelWidth: 1, resultSplit: heads * m * n },
    ...strides,
  }
  const sizes = productSizes.map((name) => values[name] ?? 0)
  return {
    program: productProgram({ left, right, tile, wide, more, bias: whole && bias, plus: whole && plus }),
    run: {
      ...{ sizes, key: sizes.join() },
      shapes: [whole ? shape : [splits, ...shape]],
      groups: flatGroups(backend.device, groups),
    },
    ...(!whole && { sum: { program: sumOfParts(bias, plus), run: sumRun(backend, shape, n, splits) } }),
  }
}

const small: Tile = { threads: [16, 16], blocks: [1, 1], depth: 16 }
const large: Tile = { threads: [16, 16], blocks: [2, 2], depth: 16 }
// For devices that have no more shared memory than every one must have.
const largeAndFlat: Tile = { ...large, depth: 8 }

/** Workgroups that keep a large device busy; one with fewer processors only takes them one after the other. */
const enough = 512

function groupsOf(tile: Tile, m: number, n: number): [across: number, down: number] {
  const [rows, columns] = tileSides(tile)
  return [Math.ceil(n / columns), Math.ceil(m / rows)]
}

// A large tile reads less, if most of it is of use and there is one for every processor.
function tileFor({ device }: ProgramBackend, m: number, n: number, heads: number): Tile {
  const [across, down] = groupsOf(large, m, n)
  const [rows, columns] = tileSides(large)
  const used = (m * n) / (across * columns * down * rows)
  if (across * down * heads < enough || used < 0.9) return small
  return tileBytes(large) <= device.limits.maxComputeWorkgroupStorageSize ? large : largeAndFlat
}

/** Steps that a sum has before it is split, and that a part of it has at least: a second program takes time as well. */
const [longSum, shortestPart] = [48, 16]

function splitsFor(groups: number, steps: number): number {
  if (groups >= enough / 2 || steps < longSum) return 1
  return Math.min(Math.ceil(enough / groups), Math.floor(steps / shortestPart), 32)
}

function sumRun({ device }: ProgramBackend, shape: readonly number[], n: number, splits: number): Fixed {
  const size = shape.reduce((product, side) => product * side, 1)
  const sizes = [size, n, splits]
  return { sizes, key: sizes.join(), shapes: [shape], groups: groupsOfThreads(device, size) }
}

const sumOfParts = (bias: boolean, plus: boolean): Program =>
  sums(`${bias} ${plus}`, () => ({
    name: 'Sum of parts',
    inputs: { parts: 'f32', ...(bias && { bias: 'f32' as const }), ...(plus && { plus: 'f32' as const }) },
    outputs: { result: 'f32' },
    sizes: ['size', 'n', 'splits'],
    code: perThread(`var sum = ${bias ? 'bias[i % sizes.n]' : '0.0'}${plus ? ' + plus[i]' : ''};
  for (var part = 0u; part < sizes.splits; part++) {
    sum += parts[part * sizes.size + i];
  }
  result[i] = sum;`),
  }))

const sums = once<Program>()
