/** WGSL: the number of a workgroup of `flatGroups`, from the builtins `group` and `groups`; may be past the last. */
export const flatGroup = '(group.y * groups.x + group.x)'

/** Threads of a workgroup of {@link perThread}. */
export const threadsOfGroup = 256

/** WGSL: the entry point of a program; its body knows `group`, `groups` and `thread`. */
export const entry = (threads: number, body: string): string => `
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {${body}
}`

/** WGSL: a program with one thread for each of `sizes.size` numbers, `i`. */
export const perThread = (body: string): string =>
  entry(
    threadsOfGroup,
    `
  let i = ${flatGroup} * ${threadsOfGroup}u + thread;
  if (i >= sizes.size) { return; }
  ${body}`,
  )

/**
 * WGSL: what the threads of a workgroup have each, together: `NAME(value, thread)`, for every thread.
 *
 * @param combine - two values
 */
export const together = (
  name: string,
  threads: number,
  type: 'f32' | 'vec2f',
  combine: (a: string, b: string) => string,
): string => `
var<workgroup> ${name}Parts: array<${type}, ${threads}>;
fn ${name}(value: ${type}, thread: u32) -> ${type} {
  workgroupBarrier();
  ${name}Parts[thread] = value;
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      ${name}Parts[thread] = ${combine(`${name}Parts[thread]`, `${name}Parts[thread + half]`)};
    }
  }
  workgroupBarrier();
  return ${name}Parts[0];
}`

/** WGSL: a program whose body knows `sumOver(value, thread)`, of two sums at once. */
export const summing = (threads: number, body: string, functions = ''): string =>
  `${functions}${together('sumOver', threads, 'vec2f', (a, b) => `${a} + ${b}`)}${entry(threads, body)}`

/** The numbers from 0 up to `n`. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** A line of WGSL for each. */
export const lines = <T>(items: readonly T[], of: (item: T) => string): string => items.map(of).join('\n')

/** What was made for a key is made once. */
export function once<T>(): (key: string, make: () => T) => T {
  const known = new Map<string, T>()
  return (key, make) => {
    const found = known.get(key) ?? make()
    known.set(key, found)
    return found
  }
}
