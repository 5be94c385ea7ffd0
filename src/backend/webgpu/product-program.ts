import type { Element, Program } from './program.js'

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
  ...(['m', 'n', 'channels', 'heads', 'splits', 'steps'] as const),
  ...(['leftFirst', 'leftRow', 'leftHead', 'leftBatch'] as const),
  ...(['rightFirst', 'rightRow', 'rightHead', 'rightBatch'] as const),
  ...(['resultFirst', 'resultRow', 'resultHead', 'resultBatch', 'resultSplit'] as const),
  ...(['kernelHeight', 'kernelWidth', 'stride', 'top', 'side'] as const),
  ...(['height', 'width', 'outHeight', 'outWidth'] as const),
] as const

/** Rows and columns of a workgroup's piece. */
export const tileSides = ({ threads, blocks }: Tile): readonly [rows: number, columns: number] => [
  4 * threads[1] * blocks[1],
  4 * threads[0] * blocks[0],
]

// Four more rows than there are, or what the threads of a warp write side by side would lie in one bank.
const leftStride = (tile: Tile): number => tileSides(tile)[0] / 4 + 1

/** Bytes of shared memory that a tile takes. */
export const tileBytes = (tile: Tile): number => 4 * tile.depth * (4 * leftStride(tile) + tileSides(tile)[1])

const made = new Map<string, Program>()

/**
 * The program of a kind of product. A workgroup brings a piece of both sides into shared memory, a few terms at a time,
 * and fetches the next while it multiplies those; each thread keeps its blocks of the result in registers.
 */
export function productProgram(kind: ProductKind): Program {
  const key = JSON.stringify(kind)
  const program = made.get(key) ?? makeProgram(kind)
  made.set(key, program)
  return program
}

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

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const lines = <T>(items: readonly T[], of: (item: T) => string): string => items.map(of).join('\n')

function codeOf({ left, right, tile, bias, plus, more, wide }: ProductKind): string {
  const [rows, columns] = tileSides(tile)
  const { threads, blocks, depth } = tile
  const count = threads[0] * threads[1]
  const leftLoads = range((rows * depth) / 4 / count)
  const rightLoads = range((columns * depth) / 4 / count)
  const sums = range(4 * blocks[1]).flatMap((row) => range(blocks[0]).map((column) => ({ row, column })))
  const fetch = `
    ${/windows/.test(left) ? 'let tapRow = tap / sizes.kernelWidth; let tapColumn = tap % sizes.kernelWidth;' : ''}
    ${lines(leftLoads, leftSide[left].fetch)}
    ${lines(rightLoads, rightSide[right].fetch)}`

  return `
var<workgroup> leftTile: array<vec4f, ${depth * leftStride(tile)}>;
var<workgroup> rightTile: array<vec4f, ${(depth * columns) / 4}>;
${reader('left', wide.left)}
${reader('right', wide.right)}
${writer({ bias, plus, more }, wide.result)}

@compute @workgroup_size(${count})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let firstRow = group.y * ${rows}u;
  let firstColumn = group.x * ${columns}u;
  let split = group.z % sizes.splits;
  let head = group.z / sizes.splits % sizes.heads;
  let batch = group.z / sizes.splits / sizes.heads;
  let across = thread % ${threads[0]}u;
  let down = thread / ${threads[0]}u;
  let leftStart = sizes.leftFirst + batch * sizes.leftBatch + head * sizes.leftHead;
  let rightStart = sizes.rightFirst + batch * sizes.rightBatch + head * sizes.rightHead;
  let resultStart = sizes.resultFirst + batch * sizes.resultBatch + head * sizes.resultHead + split * sizes.resultSplit;
  let perTap = (sizes.channels + ${depth - 1}u) / ${depth}u;
  var step = split * sizes.steps;
  let end = min(step + sizes.steps, perTap * sizes.kernelHeight * sizes.kernelWidth);
  var tap = step / perTap;
  var channel = step % perTap * ${depth}u;
  ${lines(leftLoads, (i) => leftSide[left].place(i, tile))}
  ${lines(rightLoads, (i) => rightSide[right].place(i, tile))}
  ${lines(leftLoads, (i) => `var left${i} = vec4f();`)}
  ${lines(rightLoads, (i) => `var right${i} = vec4f();`)}
  ${lines(sums, ({ row, column }) => `var sum${row}_${column} = vec4f();`)}
  if (step < end) {${fetch}
  }
  while (step < end) {
    ${lines(leftLoads, (i) => leftSide[left].store(i, tile))}
    ${lines(rightLoads, (i) => rightSide[right].store(i, tile))}
    workgroupBarrier();
    step++;
    channel += ${depth}u;
    if (channel >= sizes.channels) {
      channel = 0u;
      tap++;
    }
    if (step < end) {${fetch}
    }
    for (var k = 0u; k < ${depth}u; k++) {
      ${lines(range(blocks[1]), (b) => `let a${b} = leftTile[k * ${leftStride(tile)}u + down + ${b * threads[1]}u];`)}
      ${lines(range(blocks[0]), (b) => `let b${b} = rightTile[k * ${columns / 4}u + across + ${b * threads[0]}u];`)}
      ${lines(sums, ({ row, column }) => {
        const sum = `sum${row}_${column}`
        return `${sum} = fma(vec4f(a${row >> 2}.${'xyzw'[row % 4]}), b${column}, ${sum});`
      })}
    }
    workgroupBarrier();
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

/** How a side comes into shared memory: where a thread's fours lie, fetching them, and storing them, by their number. */
interface Side {
  readonly place: (load: number, tile: Tile) => string
  readonly fetch: (load: number) => string
  readonly store: (load: number, tile: Tile) => string
}

const elementOf = (load: number, { threads }: Tile): string => `(thread + ${load * threads[0] * threads[1]}u)`

// Four terms of a row, which become four lines of the tile.
const spread = (side: 'left' | 'right', i: number, stride: number): string =>
  lines(
    range(4),
    (k) =>
      `${side}Tile[(${side}Quad${i} * 4u + ${k}u) * ${stride}u + ${side}Row${i} / 4u][${side}Row${i} % 4u] = ${side}${i}[${k}];`,
  )

const alongTerms = (side: 'left' | 'right', i: number, tile: Tile): string => `
  let ${side}Row${i} = ${elementOf(i, tile)} / ${tile.depth / 4}u;
  let ${side}Quad${i} = ${elementOf(i, tile)} % ${tile.depth / 4}u;`

// Four rows of a term, which lie in the tile as they come.
const alongRows = (side: 'left' | 'right', i: number, tile: Tile): string => {
  const quads = tileSides(tile)[side === 'left' ? 0 : 1] / 4
  return `
  let ${side}Term${i} = ${elementOf(i, tile)} / ${quads}u;
  let ${side}Quad${i} = ${elementOf(i, tile)} % ${quads}u;`
}

const fetched = (side: 'left' | 'right', i: number, inside: string, at: string, count: string): string => `
    ${side}${i} = vec4f();
    if (${inside}) { ${side}${i} = ${side}At(${at}, ${count}); }`

const pixelOf = (i: number): string => `
  let pixel${i} = firstRow + leftRow${i};
  let image${i} = pixel${i} / (sizes.outWidth * sizes.outHeight);
  let pixelRow${i} = pixel${i} / sizes.outWidth % sizes.outHeight;
  let pixelColumn${i} = pixel${i} % sizes.outWidth;`

// What lies above a map or to the left of it is a very large number without its sign.
const window = (i: number, inside: string): string =>
  fetched(
    'left',
    i,
    `${inside}pixel${i} < sizes.m && leftTerm${i} < sizes.channels && u32(y${i}) < sizes.height && u32(x${i}) < sizes.width`,
    `((image${i} * sizes.height + u32(y${i})) * sizes.width + u32(x${i})) * sizes.channels + leftTerm${i}`,
    `sizes.channels - leftTerm${i}`,
  )

const leftSide: Readonly<Record<Left, Side>> = {
  rows: {
    place: (i, tile) => alongTerms('left', i, tile),
    fetch: (i) => `let leftTerm${i} = channel + 4u * leftQuad${i};
    let leftAt${i} = firstRow + leftRow${i};${fetched(
      'left',
      i,
      `leftAt${i} < sizes.m && leftTerm${i} < sizes.channels`,
      `leftStart + leftAt${i} * sizes.leftRow + leftTerm${i}`,
      `sizes.channels - leftTerm${i}`,
    )}`,
    store: (i, tile) => spread('left', i, leftStride(tile)),
  },
  turned: {
    place: (i, tile) => alongRows('left', i, tile),
    fetch: (i) =>
      `let leftAt${i} = firstRow + 4u * leftQuad${i};${fetched(
        'left',
        i,
        `channel + leftTerm${i} < sizes.channels && leftAt${i} < sizes.m`,
        `leftStart + (channel + leftTerm${i}) * sizes.leftRow + leftAt${i}`,
        `sizes.m - leftAt${i}`,
      )}`,
    store: (i, tile) => `leftTile[leftTerm${i} * ${leftStride(tile)}u + leftQuad${i}] = left${i};`,
  },
  windows: {
    place: (i, tile) => `${alongTerms('left', i, tile)}${pixelOf(i)}
  let top${i} = i32(pixelRow${i} * sizes.stride) - i32(sizes.top);
  let side${i} = i32(pixelColumn${i} * sizes.stride) - i32(sizes.side);`,
    fetch: (i) => `let leftTerm${i} = channel + 4u * leftQuad${i};
    let y${i} = top${i} + i32(tapRow);
    let x${i} = side${i} + i32(tapColumn);${window(i, '')}`,
    store: (i, tile) => spread('left', i, leftStride(tile)),
  },
  windowsBack: {
    place: (i, tile) => `${alongTerms('left', i, tile)}${pixelOf(i)}
  let top${i} = i32(pixelRow${i} + sizes.top);
  let side${i} = i32(pixelColumn${i} + sizes.side);`,
    fetch: (i) => `let leftTerm${i} = channel + 4u * leftQuad${i};
    let up${i} = top${i} - i32(tapRow);
    let over${i} = side${i} - i32(tapColumn);
    let y${i} = up${i} / i32(sizes.stride);
    let x${i} = over${i} / i32(sizes.stride);
    let hit${i} = up${i} >= 0 && over${i} >= 0 && y${i} * i32(sizes.stride) == up${i} && x${i} * i32(sizes.stride) == over${i};${window(
      i,
      `hit${i} && `,
    )}`,
    store: (i, tile) => spread('left', i, leftStride(tile)),
  },
}

const rightSide: Readonly<Record<Right, Side>> = {
  rows: {
    place: (i, tile) => alongRows('right', i, tile),
    fetch: (i) =>
      `let rightAt${i} = firstColumn + 4u * rightQuad${i};${fetched(
        'right',
        i,
        `channel + rightTerm${i} < sizes.channels && rightAt${i} < sizes.n`,
        `rightStart + (tap * sizes.channels + channel + rightTerm${i}) * sizes.rightRow + rightAt${i}`,
        `sizes.n - rightAt${i}`,
      )}`,
    store: (i, tile) => `rightTile[rightTerm${i} * ${tileSides(tile)[1] / 4}u + rightQuad${i}] = right${i};`,
  },
  turned: {
    place: (i, tile) => alongTerms('right', i, tile),
    fetch: (i) => `let rightTerm${i} = channel + 4u * rightQuad${i};
    let rightAt${i} = firstColumn + rightRow${i};${fetched(
      'right',
      i,
      `rightAt${i} < sizes.n && rightTerm${i} < sizes.channels`,
      `rightStart + (tap * sizes.n + rightAt${i}) * sizes.rightRow + rightTerm${i}`,
      `sizes.channels - rightTerm${i}`,
    )}`,
    store: (i, tile) => spread('right', i, tileSides(tile)[1] / 4),
  },
}
