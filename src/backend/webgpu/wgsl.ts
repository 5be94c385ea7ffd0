/** WGSL: the number of a workgroup of `flatGroups`, from the builtins `group` and `groups`; may be past the last. */
export const flatGroup = '(group.y * groups.x + group.x)'

/** Threads of a workgroup of {@link perThread}. */
export const threadsOfGroup = 256

/** WGSL: a program with one thread for each of `sizes.size` numbers, `i`. */
export const perThread = (body: string): string => `
@compute @workgroup_size(${threadsOfGroup})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = ${flatGroup} * ${threadsOfGroup}u + thread;
  if (i >= sizes.size) { return; }
  ${body}
}`

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

/** A program whose workgroups sum what their threads have each: `sumOver(value, thread)` is the sum, for every thread. */
export const summing = (threads: number, body: string, functions = ''): string => `${functions}
var<workgroup> partial: array<vec2f, ${threads}>;
fn sumOver(value: vec2f, thread: u32) -> vec2f {
  workgroupBarrier();
  partial[thread] = value;
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { partial[thread] += partial[thread + half]; }
  }
  workgroupBarrier();
  return partial[0];
}
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {${body}
}`
