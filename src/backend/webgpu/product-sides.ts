import { lines, range } from './wgsl.js'

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

/** Rows and columns of a workgroup's piece. */
export const tileSides = ({ threads, blocks }: Tile): readonly [rows: number, columns: number] => [
  4 * threads[1] * blocks[1],
  4 * threads[0] * blocks[0],
]

/** How a side comes into shared memory, whose vectors are four rows of a term. */
export interface Side {
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

/** By where it comes from. */
export const leftSide: Readonly<Record<Left, Side>> = {
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

/** By where it comes from. */
export const rightSide: Readonly<Record<Right, Side>> = {
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
