/** A source of uniform numbers in [0, 1). */
export type Uniform = () => number

/**
 * A seeded stream of uniform numbers: a Weyl sequence through the 32-bit finaliser of MurmurHash3.
 * @param seed any integer; seed 0 is a seed
 * @param stream separates the uses of one seed (anatomy, noise, caption), so that none shifts another
 */
export function uniforms(seed: number, stream = 0): Uniform {
  let state = mix(mix(seed >>> 0) ^ Math.floor(seed / 2 ** 32) ^ Math.imul(stream + 1, 0x9e3779b1))
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    return mix(state) / 2 ** 32
  }
}

/** A seeded stream of standard normal numbers (Box and Muller). */
export function normals(seed: number, stream = 0): () => number {
  const uniform = uniforms(seed, stream)
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}

function mix(value: number): number {
  let hash = value >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
