import { ArgumentError } from '../core/index.js'

/** Each variable's parents by name. */
export type ParentNames = ReadonlyMap<string, readonly string[]>

/**
 * Names so that parents come before their children; otherwise in the order of declaration.
 *
 * @throws ArgumentError on an unknown or repeated parent, or a cycle, naming the path
 */
export function topologicalOrder(parents: ParentNames): readonly string[] {
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    if (done.has(name)) return
    const start = path.indexOf(name)
    if (start >= 0) throw cyclic([...path.slice(start), name])
    for (const parent of parents.get(name)!) {
      if (!parents.has(parent)) throw unknownParent(parent, [...path, name], parents)
      visit(parent, [...path, name])
    }
    const own = parents.get(name)!
    if (new Set(own).size < own.length) throw repeated(name, own)
    done.add(name)
  }
  for (const name of parents.keys()) visit(name, [])
  return [...done]
}

/** The variables that any of `causes` can move, without the causes themselves unless they follow from one another. */
export function descendants(parents: ParentNames, causes: Iterable<string>): ReadonlySet<string> {
  const reached = new Set(causes)
  const found = new Set<string>()
  for (const name of topologicalOrder(parents)) {
    if (!parents.get(name)!.some((parent) => reached.has(parent))) continue
    reached.add(name)
    found.add(name)
  }
  return found
}

// `visit` walks from child to parent; arrows are told in the direction of causes.
const arrows = (path: readonly string[]) => [...path].reverse().join(' -> ')

const cyclic = (path: readonly string[]) =>
  new ArgumentError({
    rule: 'a causal graph has no cycle',
    got: arrows(path),
    mend: 'Remove one of these arrows.',
  })

const unknownParent = (parent: string, path: readonly string[], parents: ParentNames) =>
  new ArgumentError({
    rule: `every parent is a variable of the graph: ${[...parents.keys()].join(', ')}`,
    got: `the unknown "${parent}" in ${arrows([...path, parent])}`,
    mend: `Declare "${parent}", or correct the parents of "${path.at(-1)}".`,
  })

const repeated = (name: string, own: readonly string[]) =>
  new ArgumentError({
    rule: `"${name}" names each parent once`,
    got: own.join(', '),
    mend: 'Remove the repetition.',
  })
