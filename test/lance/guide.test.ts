import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clinicalPerturber, intervene, parseCaption, wordDiff } from '../../src/lance/index.js'

// What docs/captions.md says of its examples, read from the page and held against the code.
const page = readFileSync(join(import.meta.dirname, '../../docs/captions.md'), 'utf8')

/** The comment lines that follow a line of a code block, up to the first line that is no comment. */
function saidAfter(start: string): string[] {
  const lines = page.split('\n')
  const at = lines.findIndex((line) => line.startsWith(start))
  expect(at, `the page shows ${start}`).toBeGreaterThan(0)
  const rest = lines.slice(at + 1)
  const end = rest.findIndex((line) => !line.startsWith('// '))
  return rest.slice(0, end).map((line) => line.slice(3))
}

describe('the guide to captions', () => {
  it('shows the perturbations that come out', () => {
    const caption = 'Chest X-ray with cardiomegaly and support devices'
    const perturbed = clinicalPerturber({ kinds: ['finding', 'device'] })(caption)
    const targets = perturbed.map(({ target }) => target.replace('Chest X-ray ', ''))
    for (const said of saidAfter(`perturb('${caption}')`)) expect(targets).toContain(said)
  })

  it('shows the intervention in the form of figure 3', () => {
    const caption = 'Chest X-ray with cardiomegaly and support devices'
    const changed = intervene(caption, 'cardiomegaly', false, { style: 'figure-3' })
    expect(saidAfter(`intervene('${caption}'`)).toEqual([changed.caption])
  })

  it('shows what the grammar reads', () => {
    const text = 'PA chest X-ray of a 40 year old woman with a small left effusion, no edema'
    const [said] = saidAfter(`parseCaption('${text}')`)
    const { view, age, sex, findings } = parseCaption(text)
    const told = findings.find(({ present }) => present)!
    const denied = findings.find(({ present }) => !present)!
    expect(
      `view ${view}, age ${age}, sex ${sex}; ${told.name} (${told.severity}, ${told.laterality}) told; ${denied.name} denied`,
    ).toBe(said)
  })

  it('shows the word diff', () => {
    const diff = wordDiff(
      'Chest X-ray with cardiomegaly and support devices',
      'Chest X-ray with no cardiomegaly',
    )
    const [said] = saidAfter("wordDiff('Chest X-ray with cardiomegaly")
    const list = (words: readonly string[]) => `[${words.map((word) => `'${word}'`).join(', ')}]`
    expect(`{ deleted: ${list(diff.deleted)}, inserted: ${list(diff.inserted)}, replaced: [] }`).toBe(said)
    expect(diff.replaced).toEqual([])
  })
})
