import type { Element, Program } from './program.js'
import { flatGroup, lines, once, range } from './wgsl.js'

/**
 * How the threads of a workgroup share a piece of a product: `threads[0]` across and `threads[1]` down, each with
 * `blocks[0]` × `blocks[1]` blocks of four by four, over `depth` terms at a time.
 */
export interface Tile {
  readonly threads: readonly [across: number, down: number]
  readonly blocks: readonly [across: number, down: number]
  readonly depth: number
}

/**
 * Where the left side of a product comes from: `[m, k]`, `[k, m]`, the windows of a channels-last map with a row for every
 * pixel of a convolution's result, or those of the result's gradient with a row for every pixel of the input.
 */
export type Left = 'rows' | 'turned' | 'windows' | 'windowsBack'

/** Where the right side comes from: `[taps, k, n]` or `[taps, n, k]`. */
export type Right = 'rows' | 'turned'

/** A kind of product. */
export interface ProductKind {
  readonly left: Left
  readonly right: Right
  readonly tile: Tile
  /** Adds a row of numbers to every row. */
  readonly bias: boolean
  /** Adds a matrix. */
  readonly plus: boolean
  /** Adds to what the result holds already. */
  readonly more: boolean
  /** Which of them lie in fours: only those are read or written four at a time. */
  readonly wide: Readonly<Record<'left' | 'right' | 'result', boolean>>
}

/** What a run says, in this order: where the matrices begin and their strides in numbers of elements, and a convolution's windows. */
export const productSizes = [
  ...(['m', 'n', 'channels', 'splits', 'steps', 'across', 'down', 'groups'] as const),
  ...(['leftFirst', 'leftRow', 'leftHead', 'rightFirst', 'rightRow', 'rightHead'] as const),
  ...(['resultFirst', 'resultRow', 'resultHead', 'resultSplit'] as const),
  ...(['kernelHeight', 'kernelWidth', 'stride', 'top', 'side'] as const),
  ...(['height', 'width', 'outHeight', 'outWidth'] as const),
] as const

/** Rows and columns of a workgroup's piece. */
export const tileSides = ({ threads, blocks }: Tile): readonly [rows: number, columns: number] => [
  4 * threads[1] * blocks[1],
  4 * threads[0] * blocks[0],
]

// Four more rows than there are, or what threads write side by side would lie in one bank.
const leftStride = (tile: Tile): number => tileSides(tile)[0] / 4 + 1

/** Bytes of shared memory that a tile takes. */
export const tileBytes = (tile: Tile): number => 4 * tile.depth * (4 * leftStride(tile) + tileSides(tile)[1])

/**
 * The program of a kind of product. A workgroup brings a piece of both sides into shared memory, a few terms at a time,
 * and fetches the next while it multiplies those; each thread keeps its blocks of the result in registers.
 */
export const productProgram = (kind: ProductKind): Program =>
  programs(JSON.stringify(kind), () => makeProgram(kind))

const programs = once<Program>()

function makeProgram(kind: ProductKind): Program {
  const { left, right, bias, plus, wide } = kind
  const element = (side: keyof typeof wide): Element => (wide[side] ? 'vec4f' : 'f32')
  return {
    name: `Product ${left} ${right}`,
    inputs: {
      left: element('left'),
      right: element('right'),
      ...(bias && { bias: element('result') }),
      ...(plus && { plus: element('result') }),
    },
    outputs: { result: element('result') },
    sizes: productSizes,
    code: codeOf(kind),
  }
}

function codeOf({ left, right, tile, bias, plus, more, wide }: ProductKind): string {
  const [rows, columns] = tileSides(tile)
  const { threads, blocks, depth } = tile
  const [leftLoads, rightLoads] = [leftSide[left].loads(rows, tile), rightSide[right].loads(columns, tile)]
  const sums = range(4 * blocks[1]).flatMap((row) => range(blocks[0]).map((column) => ({ row, column })))
  return `
var<workgroup> leftTile: array<vec4f, ${depth * leftStride(tile)}>;
var<workgroup> rightTile: array<vec4f, ${(depth * columns) / 4}>;
${reader('left', wide.left)}
${reader('right', wide.right)}
${writer({ bias, plus, more }, wide.result)}

@compute @workgroup_size(${threads[0] * threads[1]})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let piece = ${flatGroup};
  if (piece >= sizes.groups) { return; }
  let firstColumn = piece % sizes.across * ${columns}u;
  let firstRow = piece / sizes.across % sizes.down * ${rows}u;
  let split = piece / (sizes.across * sizes.down) % sizes.splits;
  let head = piece / (sizes.across * sizes.down) / sizes.splits;
  let across = thread % ${threads[0]}u;
  let down = thread / ${threads[0]}u;
  let leftStart = sizes.leftFirst + head * sizes.leftHead;
  let rightStart = sizes.rightFirst + head * sizes.rightHead;
  let resultStart = sizes.resultFirst + head * sizes.resultHead + split * sizes.resultSplit;
  let perTap = (sizes.channels + ${depth - 1}u) / ${depth}u;
  var step = split * sizes.steps;
  let end = min(step + sizes.steps, perTap * sizes.kernelHeight * sizes.kernelWidth);
  var tap = step / perTap;
  var channel = step % perTap * ${depth}u;
  ${leftSide[left].place(rows, tile)}
  ${rightSide[right].place(columns, tile)}
  ${lines(leftLoads, (i) => `var left${i} = vec4f();`)}
  ${lines(rightLoads, (i) => `var right${i} = vec4f();`)}
  ${lines(sums, ({ row, column }) => `var sum${row}_${column} = vec4f();`)}
  let begin = step;
  while (true) {
    if (step < end) {
      ${/windows/.test(left) ? 'let tapRow = tap / sizes.kernelWidth; let tapColumn = tap % sizes.kernelWidth;' : ''}
      ${lines(leftLoads, leftSide[left].fetch)}
      ${lines(rightLoads, rightSide[right].fetch)}
      channel += ${depth}u;
      if (channel >= sizes.channels) {
        channel = 0u;
        tap++;
      }
    }
    // What was fetched at the last turn, while the next is on its way.
    if (step > begin) {
      for (var k = 0u; k < ${depth}u; k++) {
        ${lines(range(blocks[1]), (b) => `let a${b} = leftTile[k * ${leftStride(tile)}u + down + ${b * threads[1]}u];`)}
        ${lines(range(blocks[0]), (b) => `let b${b} = rightTile[k * ${columns / 4}u + across + ${b * threads[0]}u];`)}
        ${lines(sums, ({ row, column }) => {
          const sum = `sum${row}_${column}`
          return `${sum} = fma(vec4f(a${row >> 2}.${'xyzw'[row % 4]}), b${column}, ${sum});`
        })}
      }
    }
    if (step >= end) { break; }
    workgroupBarrier();
    ${leftSide[left].store(leftStride(tile), tile)}
    ${rightSide[right].store(columns / 4, tile)}
    workgroupBarrier();
    step++;
  }
  ${lines(sums, ({ row, column }) => {
    const [y, x] = [4 * threads[1] * (row >> 2) + (row % 4), 4 * threads[0] * column]
    return `write(firstRow + 4u * down + ${y}u, firstColumn + 4u * across + ${x}u, resultStart, sum${row}_${column});`
  })}
}`
}

/** Four numbers from a place on, of which as many are there as are left of a row. */
const reader = (side: 'left' | 'right', wide: boolean): string =>
  wide
    ? `fn ${side}At(at: u32, count: u32) -> vec4f { return ${side}[at / 4u]; }`
    : `fn ${side}At(at: u32, count: u32) -> vec4f {
  return vec4f(${range(4)
    .map((k) => `select(0.0, ${side}[at + ${k}u], count > ${k}u)`)
    .join(', ')});
}`

function writer({ bias, plus, more }: Pick<ProductKind, 'bias' | 'plus' | 'more'>, wide: boolean): string {
  const store = (at: string, column: string, value: string) =>
    `result[${at}] ${more ? '+=' : '='} ${value}${bias ? ` + bias[${column}]` : ''}${plus ? ` + plus[${at}]` : ''};`
  const one = (k: number) =>
    `if (column + ${k}u < sizes.n) { ${store(`at + ${k}u`, `column + ${k}u`, `value[${k}]`)} }`
  return `fn write(row: u32, column: u32, start: u32, value: vec4f) {
  if (row >= sizes.m || column >= sizes.n) { return; }
  let at = start + row * sizes.resultRow + column;
  ${wide ? store('at / 4u', 'column / 4u', 'value') : lines(range(4), one)}
}`
}

/** How a side comes into shared memory, whose vectors are four rows of a term. */
interface Side {
  /** The numbers of a thread's loads, of four numbers each. */
  readonly loads: (rows: number, tile: Tile) => number[]
  /** Where they lie. */
  readonly place: (rows: number, tile: Tile) => string
  readonly fetch: (load: number) => string
  /** @param stride - vectors of a term */
  readonly store: (stride: number, tile: Tile) => string
}

type Name = 'left' | 'right'

// Four terms of each of four rows: a square, which its thread turns. Threads must not share a vector, of which WGSL may write the
// whole where a part is meant. Squares of the left go to the first threads, of the right to the last.
const inSquares = (name: Name): Omit<Side, 'fetch'> => ({
  loads: () => range(4),
  place: (rows, { threads, depth }) => {
    const [quads, count] = [depth / 4, threads[0] * threads[1]]
    const squares = (rows / 4) * quads
    return `
  let ${name}Square = thread${name === 'left' ? '' : ` - ${count - squares}u`};
  let ${name}Busy = ${name}Square < ${squares}u;
  let ${name}Quad = ${name}Square % ${quads}u;
  ${lines(range(4), (i) => `let ${name}Row${i} = ${name}Square / ${quads}u * 4u + ${i}u;`)}`
  },
  store: (stride) => `
    if (${name}Busy) {
      ${lines(range(4), (k) => {
        const term = range(4).map((i) => `${name}${i}[${k}]`)
        return `${name}Tile[(${name}Quad * 4u + ${k}u) * ${stride}u + ${name}Row0 / 4u] = vec4f(${term.join(', ')});`
      })}
    }`,
})

// Four rows of a term, as they come.
const inRows = (name: Name): Omit<Side, 'fetch'> => {
  const loads = (rows: number, { threads, depth }: Tile) =>
    range(Math.ceil((rows * depth) / 4 / (threads[0] * threads[1])))
  return {
    loads,
    place: (rows, tile) => {
      const [quads, count] = [rows / 4, tile.threads[0] * tile.threads[1]]
      return lines(
        loads(rows, tile),
        (i) => `
  let ${name}Term${i} = (thread + ${i * count}u) / ${quads}u;
  let ${name}Quad${i} = (thread + ${i * count}u) % ${quads}u;`,
      )
    },
    store: (stride, tile) =>
      lines(
        loads(tileSides(tile)[name === 'left' ? 0 : 1], tile),
        (i) => `
    ${name}Tile[${name}Term${i} * ${stride}u + ${name}Quad${i}] = ${name}${i};`,
      ),
  }
}

// Not by `&&`, which branches at every condition.
const all = (conditions: readonly string[]): string => conditions.map((each) => `(${each})`).join(' & ')

const fetched = (name: Name, i: number, inside: readonly string[], at: string, count: string): string => `
    ${name}${i} = vec4f();
    if (${all(inside)}) { ${name}${i} = ${name}At(${at}, ${count}); }`

const ofPixels = (each: (i: number) => string): Omit<Side, 'fetch'> => ({
  ...inSquares('left'),
  place: (rows, tile) => `${inSquares('left').place(rows, tile)}
  ${lines(
    range(4),
    (i) => `
  let pixel${i} = firstRow + leftRow${i};
  let image${i} = pixel${i} / (sizes.outWidth * sizes.outHeight);
  let pixelRow${i} = pixel${i} / sizes.outWidth % sizes.outHeight;
  let pixelColumn${i} = pixel${i} % sizes.outWidth;
  ${each(i)}`,
  )}`,
})

// What lies above a map or to the left of it is a very large number without its sign.
const window = (i: number, ...more: string[]): string =>
  fetched(
    'left',
    i,
    [
      ...['leftBusy', ...more, `pixel${i} < sizes.m`, `leftTerm${i} < sizes.channels`],
      ...[`u32(y${i}) < sizes.height`, `u32(x${i}) < sizes.width`],
    ],
    `((image${i} * sizes.height + u32(y${i})) * sizes.width + u32(x${i})) * sizes.channels + leftTerm${i}`,
    `sizes.channels - leftTerm${i}`,
  )

const leftSide: Readonly<Record<Left, Side>> = {
  rows: {
    ...inSquares('left'),
    fetch: (i) => `let leftTerm${i} = channel + 4u * leftQuad;
    let leftAt${i} = firstRow + leftRow${i};${fetched(
      'left',
      i,
      ['leftBusy', `leftAt${i} < sizes.m`, `leftTerm${i} < sizes.channels`],
      `leftStart + leftAt${i} * sizes.leftRow + leftTerm${i}`,
      `sizes.channels - leftTerm${i}`,
    )}`,
  },
  turned: {
    ...inRows('left'),
    fetch: (i) =>
      `let leftAt${i} = firstRow + 4u * leftQuad${i};${fetched(
        'left',
        i,
        [`channel + leftTerm${i} < sizes.channels`, `leftAt${i} < sizes.m`],
        `leftStart + (channel + leftTerm${i}) * sizes.leftRow + leftAt${i}`,
        `sizes.m - leftAt${i}`,
      )}`,
  },
  windows: {
    ...ofPixels(
      (i) => `let top${i} = i32(pixelRow${i} * sizes.stride) - i32(sizes.top);
  let side${i} = i32(pixelColumn${i} * sizes.stride) - i32(sizes.side);`,
    ),
    fetch: (i) => `let leftTerm${i} = channel + 4u * leftQuad;
    let y${i} = top${i} + i32(tapRow);
    let x${i} = side${i} + i32(tapColumn);${window(i)}`,
  },
  windowsBack: {
    ...ofPixels(
      (i) => `let top${i} = i32(pixelRow${i} + sizes.top);
  let side${i} = i32(pixelColumn${i} + sizes.side);`,
    ),
    fetch: (i) => `let leftTerm${i} = channel + 4u * leftQuad;
    let up${i} = top${i} - i32(tapRow);
    let over${i} = side${i} - i32(tapColumn);
    let y${i} = up${i} / i32(sizes.stride);
    let x${i} = over${i} / i32(sizes.stride);
${window(
  i,
  ...[`up${i} >= 0`, `over${i} >= 0`],
  ...[`y${i} * i32(sizes.stride) == up${i}`, `x${i} * i32(sizes.stride) == over${i}`],
)}`,
  },
}

const rightSide: Readonly<Record<Right, Side>> = {
  rows: {
    ...inRows('right'),
    fetch: (i) =>
      `let rightAt${i} = firstColumn + 4u * rightQuad${i};${fetched(
        'right',
        i,
        [`channel + rightTerm${i} < sizes.channels`, `rightAt${i} < sizes.n`],
        `rightStart + (tap * sizes.channels + channel + rightTerm${i}) * sizes.rightRow + rightAt${i}`,
        `sizes.n - rightAt${i}`,
      )}`,
  },
  turned: {
    ...inSquares('right'),
    fetch: (i) => `let rightTerm${i} = channel + 4u * rightQuad;
    let rightAt${i} = firstColumn + rightRow${i};${fetched(
      'right',
      i,
      ['rightBusy', `rightAt${i} < sizes.n`, `rightTerm${i} < sizes.channels`],
      `rightStart + (tap * sizes.n + rightAt${i}) * sizes.rightRow + rightTerm${i}`,
      `sizes.channels - rightTerm${i}`,
    )}`,
  },
}
