/** Rows of a line of text, descenders included; a glyph is 5 wide. */
export const glyphHeight = 9
/** From one glyph to the next. */
export const glyphAdvance = 6

/**
 * Whether a glyph has ink in a cell. The letters are drawn here, as 5-bit rows from the top (a digit of base 32
 * each), so that a picture is the same on a machine without fonts. An unknown character shows as a box.
 */
export function hasInk(character: string, row: number, column: number): boolean {
  const bits = Number.parseInt((glyphs[character] ?? 'vhhhhhv')[row] ?? '0', 32)
  return ((bits >> (4 - column)) & 1) === 1
}

// biome-ignore format: a table
const glyphs: Readonly<Record<string, string>> = {
  ' ': '', '0': 'ehjlphe', '1': '4c4444e', '2': 'eh1248v', '3': 'v2421he', '4': '26aiv22', '5': 'vgu11he',
  '6': '68guhhe', '7': 'v124888', '8': 'ehhehhe', '9': 'ehhf12c',
  A: 'ehhhvhh', B: 'uhhuhhu', C: 'ehggghe', D: 'sihhhis', E: 'vgguggv', F: 'vgguggg', G: 'ehgnhhf',
  H: 'hhhvhhh', I: 'e44444e', J: '72222ic', K: 'hikokih', L: 'ggggggv', M: 'hrllhhh', N: 'hhpljhh',
  O: 'ehhhhhe', P: 'uhhuggg', Q: 'ehhhlid', R: 'uhhukih', S: 'fgge11u', T: 'v444444', U: 'hhhhhhe',
  V: 'hhhhha4', W: 'hhhllla', X: 'hha4ahh', Y: 'hhha444', Z: 'v1248gv',
  a: '00e1fhf', b: 'ggmphhu', c: '00egghe', d: '11djhhf', e: '00ehvge', f: '698s888', g: '00fhhhf1e',
  h: 'ggmphhh', i: '40c444e', j: '2062222ic', k: 'ggikoki', l: 'c44444e', m: '00qllhh', n: '00mphhh',
  o: '00ehhhe', p: '00uhhhugg', q: '00fhhhf11', r: '00mpggg', s: '00ege1u', t: '88s8896', u: '00hhhjd',
  v: '00hhha4', w: '00hhlla', x: '00ha4ah', y: '00hhhhf1e', z: '00v248v',
  '.': '00000cc', ',': '00000cc48', ':': '0cc0cc0', ';': '0cc00cc48', '-': '000v000', '−': '000v000',
  '–': '000v000', '+': '044v440', '=': '00v0v00', '(': '2488842', ')': '8422248', '[': 'e88888e',
  ']': 'e22222e', '/': '01248g0', '%': 'op248j3', '!': '4444404', '?': 'eh12404', '"': 'aaa0000',
  "'": 'c480000', '_': '000000v', '#': 'aavavaa', '<': '248g842', '>': '8421248', '*': '04lel40',
  '&': 'cik8lid', '|': '4444444', '≥': '842480e', '≤': '248420e', '±': '44v440v', '→': '042v240',
  '×': '00ha4ah', '°': 'ciic000',
}
