/** Copies rows of `width` bytes, a multiple of 4, that lie so many bytes apart. */
export function copyRows(from: usize, fromStep: usize, to: usize, toStep: usize, rows: usize, width: usize): void {
  for (let row: usize = 0; row < rows; row++) copy(from + row * fromStep, to + row * toStep, width)
}

/** Copies numbers. */
export function copy(from: usize, to: usize, bytes: usize): void {
  const end = to + bytes
  for (; to + 16 <= end; to += 16, from += 16) v128.store(to, v128.load(from))
  for (; to < end; to += 4, from += 4) store<f32>(to, load<f32>(from))
}
