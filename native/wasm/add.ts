import { Job } from './jobs'
import { jobArguments, numbersAtOnce, partsOf, runAll } from './pool'

@unmanaged
class Add {
  a: usize = 0
  b: usize = 0
  y: usize = 0
  rows: usize = 0
  /** Rows of `a` to one of `b`. */
  repeats: usize = 0
  width: usize = 0
  rowsAtOnce: usize = 0
  /** Of a long row. */
  parts: usize = 0
}

/** `y = a + b`: `rows` of `a`, `width` each, where every row of `b` stands for `repeats` of them. */
export function add(a: usize, b: usize, rows: usize, repeats: usize, width: usize, y: usize): void {
  const all = changetype<Add>(jobArguments())
  all.a = a
  all.b = b
  all.y = y
  all.rows = rows
  all.repeats = repeats
  all.width = width
  all.rowsAtOnce = max<usize>(1, numbersAtOnce / width)
  all.parts = partsOf(width, numbersAtOnce)
  runAll(Job.add, <i32>(partsOf(rows, all.rowsAtOnce) * all.parts))
}

export function addChunk(chunk: i32): void {
  const all = changetype<Add>(jobArguments()), bytes = all.width << 2
  const from = <usize>chunk % all.parts * numbersAtOnce << 2, to = min(bytes, from + (numbersAtOnce << 2))
  const first = <usize>chunk / all.parts * all.rowsAtOnce, end = min(all.rows, first + all.rowsAtOnce)
  for (let row = first; row < end; row++) {
    const a = all.a + row * bytes, b = all.b + row / all.repeats * bytes, y = all.y + row * bytes
    let i = from
    for (; i + 16 <= to; i += 16) v128.store(y + i, f32x4.add(v128.load(a + i), v128.load(b + i)))
    for (; i < to; i += 4) store<f32>(y + i, load<f32>(a + i) + load<f32>(b + i))
  }
}
