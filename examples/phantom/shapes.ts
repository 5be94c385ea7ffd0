/** A point in the body's frame: x = 0 on the midline, y = 0 at the top of the picture, unit = picture width. */
export type Point = readonly [x: number, y: number]

/** The part of a pixel that a shape covers: 1 inside, 0 outside, a smooth ramp of half-width `soft` between. */
export function cover(distance: number, soft: number): number {
  if (distance <= -soft) return 1
  if (distance >= soft) return 0
  return smooth(0.5 - distance / (2 * soft))
}

/** Cubic step from 0 to 1. */
export const smooth = (t: number): number => (t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t))

/** From a to b as t goes from 0 to 1. */
export const mix = (a: number, b: number, t: number): number => a + (b - a) * t

/** Signed distance to an ellipse, exact on its edge. */
export function ellipse(dx: number, dy: number, rx: number, ry: number): number {
  return (Math.hypot(dx / rx, dy / ry) - 1) * Math.min(rx, ry)
}

/** Signed distance to an axis-aligned box with rounded corners. */
export function roundedBox(
  dx: number,
  dy: number,
  halfWidth: number,
  halfHeight: number,
  radius: number,
): number {
  const qx = Math.abs(dx) - halfWidth + radius
  const qy = Math.abs(dy) - halfHeight + radius
  return Math.hypot(Math.max(qx, 0), Math.max(qy, 0)) + Math.min(Math.max(qx, qy), 0) - radius
}

/** Maximum with a rounded corner of size k: the intersection of two shapes. */
export function roundedMax(a: number, b: number, k: number): number {
  const overlap = Math.max(k - Math.abs(a - b), 0)
  return Math.max(a, b) + (overlap * overlap) / (4 * k)
}

/** A smooth curve through points (Catmull and Rom), flattened to `pieces` straight parts between each two. */
export function curveThrough(points: readonly Point[], pieces = 5): Point[] {
  const at = (i: number) => points[Math.min(Math.max(i, 0), points.length - 1)]!
  const flattened: Point[] = []
  for (let i = 0; i + 1 < points.length; i++)
    for (let step = 0; step < pieces; step++) {
      const t = step / pieces
      const along = (axis: 0 | 1) => {
        const [p, q, r, s] = [at(i - 1)[axis], at(i)[axis], at(i + 1)[axis], at(i + 2)[axis]]
        return q + (t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)))) / 2
      }
      flattened.push([along(0), along(1)])
    }
  return [...flattened, at(points.length - 1)]
}

/** Distance from a point to a flattened curve; Infinity beyond `reach` of its bounding box, without the work. */
export function distanceTo(curve: readonly Point[], reach: number): (x: number, y: number) => number {
  const coordinates = Float64Array.from(curve.flat())
  const xs = curve.map(([x]) => x)
  const ys = curve.map(([, y]) => y)
  const [left, right] = [Math.min(...xs) - reach, Math.max(...xs) + reach]
  const [top, bottom] = [Math.min(...ys) - reach, Math.max(...ys) + reach]
  return (x, y) => {
    if (x < left || x > right || y < top || y > bottom) return Number.POSITIVE_INFINITY
    let nearest = Number.POSITIVE_INFINITY
    for (let i = 0; i + 3 < coordinates.length; i += 2) {
      const ax = coordinates[i]!
      const ay = coordinates[i + 1]!
      const dx = coordinates[i + 2]! - ax
      const dy = coordinates[i + 3]! - ay
      const t = Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0), 1)
      const ex = x - ax - t * dx
      const ey = y - ay - t * dy
      nearest = Math.min(nearest, ex * ex + ey * ey)
    }
    return Math.sqrt(nearest)
  }
}
