/** Marks the last symbol of every word in CLIP's vocabulary. */
export const endOfWord = '</w>'

// Bytes that are printable in Latin-1 stand for themselves; the other 68 follow as U+0100, U+0101, ...
const printable = (byte: number) =>
  (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad && byte <= 0xff)
const bytes = Array.from({ length: 256 }, (_, byte) => byte)
const order = [...bytes.filter(printable), ...bytes.filter((byte) => !printable(byte))]
const shown = bytes.filter(printable).length

/** The 256 printable symbols that stand for the 256 bytes, in the order of CLIP's vocabulary. */
export const byteSymbols: readonly string[] = order.map((byte, rank) =>
  String.fromCharCode(rank < shown ? byte : 0x100 + rank - shown),
)

const symbolOfByte = new Map(order.map((byte, rank) => [byte, byteSymbols[rank]!]))
const utf8 = new TextEncoder()

/** Text as BPE spells it: one printable symbol for each byte of UTF-8. */
export function spell(text: string): string {
  return Array.from(utf8.encode(text), (byte) => symbolOfByte.get(byte)!).join('')
}
