import type * as tf from '@tensorflow/tfjs'
import { multiply, type Operands } from './product.js'
import { groupsOfThreads, type Program, type ProgramBackend, runProgram } from './program.js'
import { lines, once, perThread, range } from './wgsl.js'

/*
 * 3 × 3 convolutions of stride 1 by F(2 × 2, 3 × 3) (Winograd 1980; Lavin & Gray 2016): of every 4 × 4 pixels, two apart, 16
 * sums that are products of matrices, and from those 2 × 2 pixels of the result: 16 multiplications instead of 36.
 */

/** A convolution, or what is like one. */
export interface Convolution {
  readonly batch: number
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly outChannels: number
  readonly outHeight: number
  readonly outWidth: number
  /** Zeros above and to the left. */
  readonly top: number
  readonly side: number
}

const mostBytes = 2 ** 28

const tilesOf = ({ batch, outHeight, outWidth }: Convolution): number =>
  batch * Math.ceil(outHeight / 2) * Math.ceil(outWidth / 2)

/** What it has at once beside its result, in numbers: parts of the input, filters and their products. */
const sizesOf = (of: Convolution): number[] => {
  const tiles = tilesOf(of)
  const { channels, outChannels } = of
  return [tiles * channels, channels * outChannels, tiles * outChannels].map((count) => 16 * count)
}

/** Bytes that it takes beside its result. */
export const winogradBytes = (of: Convolution): number => 4 * sizesOf(of).reduce((sum, size) => sum + size, 0)

/**
 * Whether it is faster, and its sums are not too large to be there at once. Of few pixels the filter takes longer to transform
 * than it saves, of few channels the pixels do.
 */
export function winogradIsFaster({ device }: ProgramBackend, of: Convolution): boolean {
  const { channels, outChannels } = of
  const largest = 4 * Math.max(...sizesOf(of))
  return (
    channels % 4 === 0 &&
    outChannels % 4 === 0 &&
    Math.min(channels, outChannels) >= 128 &&
    tilesOf(of) >= 128 &&
    largest <= Math.min(mostBytes, device.limits.maxStorageBufferBindingSize)
  )
}

/**
 * The convolution.
 *
 * @param filter - `[3, 3, channels, outChannels]`; `[3, 3, outChannels, channels]` where it is turned
 * @param turned - for the gradient by the input, whose filter is turned in space as well
 * @returns `[batch, outHeight, outWidth, outChannels]`, owned by the caller
 */
export function winograd(
  backend: ProgramBackend,
  inputs: Readonly<Record<'x' | 'filter', tf.TensorInfo>> & Pick<Operands, 'bias' | 'plus'>,
  of: Convolution,
  turned: boolean,
): tf.TensorInfo {
  const { x, filter, bias, plus } = inputs
  const { batch, channels, outChannels, height, width, outHeight, outWidth } = of
  const tiles = tilesOf(of)
  const [across, down] = [Math.ceil(outWidth / 2), Math.ceil(outHeight / 2)]
  const run = (
    program: Program,
    inputs: readonly tf.TensorInfo[],
    shape: number[],
    count: number,
    sizes: number[],
  ) =>
    runProgram(backend, program, {
      ...{ inputs, shapes: [shape], sizes: [count, ...sizes] },
      groups: groupsOfThreads(backend.device, count),
    })[0]!
  const quads = channels / 4
  const parts = run(inputProgram, [x], [16, tiles, channels], tiles * quads, [
    ...[tiles, quads, across, down, height, width, of.top, of.side],
  ])
  const filterSides = turned ? [outChannels, channels] : [channels, outChannels]
  const filterCount = (channels * outChannels) / 4
  const filters = run(filterProgram(turned), [filter], [16, ...filterSides], filterCount, [])
  const sums = multiply(
    backend,
    { left: parts, right: filters },
    `w${tiles},${channels},${outChannels},${turned}`,
    () => ({
      ...{ left: 'rows', right: turned ? 'turned' : 'rows', shape: [16, tiles, outChannels] },
      ...{ m: tiles, n: outChannels, channels, heads: 16 },
    }),
  )
  const extras = [bias, plus].filter((t) => t !== undefined)
  const outQuads = outChannels / 4
  const result = run(
    outputProgram(Boolean(bias), Boolean(plus)),
    [sums, ...extras],
    [batch, outHeight, outWidth, outChannels],
    tiles * outQuads,
    [tiles, outQuads, across, down, outHeight, outWidth],
  )
  for (const { dataId } of [parts, filters, sums]) backend.disposeData(dataId)
  return result
}

// Both sides of a square by the same sums of lines, `of` from the old names and the new.
function transformed(
  from: string,
  to: string,
  size: number,
  of: (line: (i: number) => string) => string[],
): string {
  const rows = range(size).flatMap((column) =>
    of((row) => `${from}${row}_${column}`).map((sum, row) => `let ${from}${to}${row}_${column} = ${sum};`),
  )
  const count = of(() => '').length
  const columns = range(count).flatMap((row) =>
    of((column) => `${from}${to}${row}_${column}`).map(
      (sum, column) => `let ${to}${row}_${column} = ${sum};`,
    ),
  )
  return [...rows, ...columns].join('\n  ')
}

const place = `let quad = i % sizes.quads;
  let tile = i / sizes.quads;
  let image = tile / (sizes.across * sizes.down);
  let row = tile / sizes.across % sizes.down * 2u;
  let column = tile % sizes.across * 2u;`

// What lies above a map or to the left of it is a very large number without its sign.
const inputProgram: Program = {
  name: 'Winograd input',
  inputs: { x: 'vec4f' },
  outputs: { parts: 'vec4f' },
  sizes: ['size', 'tiles', 'quads', 'across', 'down', 'height', 'width', 'top', 'side'],
  code: `
fn pixel(image: u32, row: u32, column: u32, quad: u32) -> vec4f {
  if (row >= sizes.height || column >= sizes.width) { return vec4f(); }
  return x[((image * sizes.height + row) * sizes.width + column) * sizes.quads + quad];
}
${perThread(`${place}
  ${lines(range(16), (n) => {
    const [y, x] = [n >> 2, n % 4]
    return `let d${y}_${x} = pixel(image, row + ${y}u - sizes.top, column + ${x}u - sizes.side, quad);`
  })}
  ${transformed('d', 'v', 4, (d) => [
    `${d(0)} - ${d(2)}`,
    `${d(1)} + ${d(2)}`,
    `${d(2)} - ${d(1)}`,
    `${d(1)} - ${d(3)}`,
  ])}
  ${lines(range(16), (n) => `parts[(${n}u * sizes.tiles + tile) * sizes.quads + quad] = v${n >> 2}_${n % 4};`)}`)}`,
}

const makeFilterProgram = (turned: boolean): Program => ({
  name: 'Winograd filter',
  inputs: { weights: 'vec4f' },
  outputs: { filters: 'vec4f' },
  sizes: ['size'],
  code: perThread(`${lines(
    range(9),
    (n) => `let g${Math.floor(n / 3)}_${n % 3} = weights[${turned ? 8 - n : n}u * sizes.size + i];`,
  )}
  ${transformed('g', 'u', 3, (g) => [
    g(0),
    `0.5 * (${g(0)} + ${g(1)} + ${g(2)})`,
    `0.5 * (${g(0)} - ${g(1)} + ${g(2)})`,
    g(2),
  ])}
  ${lines(range(16), (n) => `filters[${n}u * sizes.size + i] = u${n >> 2}_${n % 4};`)}`),
})
const [straightFilter, turnedFilter] = [makeFilterProgram(false), makeFilterProgram(true)]
const filterProgram = (turned: boolean): Program => (turned ? turnedFilter : straightFilter)

const outputProgram = (bias: boolean, plus: boolean): Program =>
  outputs(`${bias} ${plus}`, () => makeOutputProgram(bias, plus))

const outputs = once<Program>()

const makeOutputProgram = (bias: boolean, plus: boolean): Program => ({
  name: 'Winograd output',
  inputs: {
    sums: 'vec4f',
    ...(bias && { bias: 'vec4f' as const }),
    ...(plus && { plus: 'vec4f' as const }),
  },
  outputs: { y: 'vec4f' },
  sizes: ['size', 'tiles', 'quads', 'across', 'down', 'height', 'width'],
  code: `
fn write(image: u32, row: u32, column: u32, quad: u32, value: vec4f) {
  if (row >= sizes.height || column >= sizes.width) { return; }
  let at = ((image * sizes.height + row) * sizes.width + column) * sizes.quads + quad;
  y[at] = value${bias ? ' + bias[quad]' : ''}${plus ? ' + plus[at]' : ''};
}
${perThread(`${place}
  ${lines(
    range(16),
    (n) => `let m${n >> 2}_${n % 4} = sums[(${n}u * sizes.tiles + tile) * sizes.quads + quad];`,
  )}
  ${transformed('m', 'r', 4, (m) => [`${m(0)} + ${m(1)} + ${m(2)}`, `${m(1)} - ${m(2)} - ${m(3)}`])}
  ${lines(range(4), (n) => {
    const [y, x] = [n >> 1, n % 2]
    return `write(image, row + ${y}u, column + ${x}u, quad, r${y}_${x});`
  })}`)}`,
})
