import { describe, expect, it } from 'vitest'
import { allCaptions, CAPTION_FORMS, caption } from '../../examples/phantom/captions.js'
import { type Attributes, training } from '../../examples/phantom/causal-graph.js'

/** What a caption claims, read with regular expressions alone: undefined where it is silent. */
function claims(text: string) {
  const told = (finding: string) => {
    if (/no findings|no significant findings/.test(text)) return false
    if (!text.includes(finding)) return undefined
    return !new RegExp(`(no|without) ${finding}`).test(text)
  }
  const age = /(\d+)-years/.exec(text)?.[1]
  return {
    cardiomegaly: told('cardiomegaly'),
    effusion: told('pleural effusion'),
    devices: told('support devices'),
    age: age === undefined ? undefined : Number(age),
    sex: /\b(fe)?male\b/.exec(text)?.[0],
  }
}

function contradicts(text: string, a: Attributes) {
  const truth = { ...a, devices: a.pacemaker || a.line }
  return Object.entries(claims(text)).some(
    ([name, claim]) => claim !== undefined && claim !== truth[name as keyof typeof truth],
  )
}

const drawn = Array.from({ length: 5000 }, (_, i) => {
  const { attributes, seed } = training(i)
  return { attributes, text: caption(attributes, seed) }
})

describe('captions', () => {
  it('never contradict the patient', () => {
    for (const { attributes, text } of drawn) expect(contradicts(text, attributes), text).toBe(false)
  })

  it('never name a device', () => {
    for (const text of allCaptions()) expect(text).not.toMatch(/pacemaker|\bline|catheter|lead|generator/i)
  })

  it('come only from the enumeration, which has no double', () => {
    const all = allCaptions()
    const known = new Set(all)
    expect(known.size).toBe(all.length)
    for (const { text } of drawn) expect(known).toContain(text)
  })

  it('contain the forms of the published figures', () => {
    const known = new Set(allCaptions())
    for (const text of [
      'Chest X-ray with cardiomegaly and support devices',
      'Chest X-ray with no cardiomegaly',
      'Chest X-ray with no support devices',
      'Chest X-ray with cardiomegaly, no support devices',
      'Chest X-ray with no cardiomegaly and support devices',
      'Chest X-ray of 63-years old male subject with cardiomegaly and pleural effusion.',
      'Chest X-ray of 80-years old male subject with no findings.',
      'Chest X-ray of 80-years old subject.',
    ])
      expect(known, text).toContain(text)
  })

  it('leave attributes out and deny absent ones, each often', () => {
    const part = (of: (text: string) => boolean) => drawn.filter(({ text }) => of(text)).length / drawn.length
    expect(part((text) => claims(text).cardiomegaly === undefined)).toBeGreaterThan(0.15)
    expect(part((text) => claims(text).devices === undefined)).toBeGreaterThan(0.15)
    expect(part((text) => claims(text).cardiomegaly === false)).toBeGreaterThan(0.3)
    expect(part((text) => claims(text).devices === false)).toBeGreaterThan(0.25)
    expect(CAPTION_FORMS.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
  })

  it('follow the seed', () => {
    const { attributes } = training(0)
    const several = Array.from({ length: 50 }, (_, seed) => caption(attributes, seed))
    expect(new Set(several).size).toBeGreaterThan(5)
    expect(several).toEqual(several.map((_, seed) => caption(attributes, seed)))
  })
})
