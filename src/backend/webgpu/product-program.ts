import { type Left, leftSide, type Right, rightSide, type Tile, tileSides } from './product-sides.js'
import type { Element, Program } from './program.js'
import { entry, flatGroup, lines, once, range } from './wgsl.js'

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
${entry(
  threads[0] * threads[1],
  `
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
  })}`,
)}`
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
