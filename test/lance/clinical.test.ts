import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { allCaptions, CAPTION_FORMS } from '../../examples/phantom/captions.js'
import { CaptionError } from '../../src/lance/caption-error.js'
import { articleBefore } from '../../src/lance/clinical/articles.js'
import {
  type ClinicalAttributes,
  type ClinicalCaption,
  captionOf,
  clinicalPerturber,
  differences,
  intervene,
  parseCaption,
  renderCaption,
} from '../../src/lance/clinical/index.js'
import { attributes, worded } from './clinical-captions.js'

const said = ({ wording: _, ...rest }: ClinicalCaption): ClinicalAttributes => rest
const brief = (caption: string) => {
  const { findings, ...subject } = said(parseCaption(caption))
  const list = findings.map(({ name, present, severity, laterality }) =>
    [present ? '+' : '-', severity, laterality, name].filter(Boolean).join(' '),
  )
  return [...Object.entries(subject).map(([key, value]) => `${key} ${value}`), ...list].sort().join('; ')
}
const paper = 'Chest X-ray with cardiomegaly and support devices'

describe('reading', () => {
  test.each([
    [paper, '+ cardiomegaly; + support devices'],
    ['Chest X-ray with no cardiomegaly', '- cardiomegaly'],
    ['Chest X-ray with no cardiomegaly and support devices', '+ support devices; - cardiomegaly'],
    ['Chest X-ray of [80]-year old [male] subject with [no findings].', '+ no finding; age 80; sex male'],
    ['Normal chest X-ray with no significant findings', '+ no finding'],
    ['Normal chest X-ray', '+ no finding'],
    ['Chest X-ray showing Cardiomegaly, Pleural Effusion', '+ cardiomegaly; + pleural effusion'],
    ['chest xray of a patient without support devices', '- support devices'],
    ['chest xray of the patient with lots of medical devices', '+ support devices'],
    ['Chest X-ray without cardiomegaly or effusion', '- cardiomegaly; - pleural effusion'],
    ['Chest X-ray without cardiomegaly and pleural effusion', '- cardiomegaly; - pleural effusion'],
    ['Chest X-ray without cardiomegaly and with pacemaker', '+ pacemaker; - cardiomegaly'],
    ['Chest X-ray with no pneumothorax, effusion, or edema', '- edema; - pleural effusion; - pneumothorax'],
    ['Chest X-ray with neither fracture nor effusion', '- fracture; - pleural effusion'],
    [
      'Chest X-ray with an enlarged heart but without pleural effusions',
      '+ cardiomegaly; - pleural effusion',
    ],
    ['Chest X-ray with no evidence of pneumonia', '- pneumonia'],
    ['Chest radiograph: mildly enlarged heart, no effusion', '+ mild cardiomegaly; - pleural effusion'],
    ['Chest X-ray with left and right pleural effusions', '+ bilateral pleural effusion'],
    ['Chest X-ray with moderate-sized right-sided effusion', '+ moderate right pleural effusion'],
    ['CXR with pleural effusion on the left', '+ left pleural effusion'],
    ['AP view chest x-ray of a 40 year old Asian woman', 'age 40; race Asian; sex female; view AP'],
    ['Posteroanterior chest radiograph of an 85-years old', 'age 85; view PA'],
    [
      'X-ray of the chest, lateral view, of an African-American man aged 51',
      'age 51; race black; sex male; view lateral',
    ],
    ['Chest X-ray. There is a small effusion. No pneumothorax.', '+ small pleural effusion; - pneumothorax'],
    ['Chest X-ray with cardiomegaly. Effusion is absent.', '+ cardiomegaly; - pleural effusion'],
    ['Chest X-ray of female subject.', 'sex female'],
    ['Chest X-ray', ''],
  ])('%s', (caption, expected) => {
    expect(brief(caption)).toBe(expected)
    expect(renderCaption(parseCaption(caption))).toBe(caption)
  })

  test.each([
    ['', [], 'an empty caption'],
    ['  \n', [], 'an empty caption'],
    ['A photo of a cat', ['cat'], '"cat"'],
    [
      'Röntgenbild des Thorax mit Kardiomegalie',
      ['Röntgenbild', 'des', 'mit', 'Kardiomegalie'],
      '"Kardiomegalie"',
    ],
    ['胸部X线显示心脏肥大', ['胸部X线显示心脏肥大'], '胸部'],
    [
      'Chest X-ray with cardiomegaly, sauerkraut and well-known edema',
      ['sauerkraut', 'well-known'],
      '"sauerkraut"',
    ],
    ['Chest X-ray with possible pneumonia', ['possible'], '"possible"'],
    ['Chest X-ray with', ['with'], '"with"'],
    ['Chest X-ray with mild', ['mild'], '"mild"'],
    ['Chest X-ray with cardiomegaly and no cardiomegaly', ['cardiomegaly'], 'cardiomegaly'],
    ['Normal chest X-ray with edema', ['edema', 'no finding'], '"edema" against "no finding"'],
    ['Chest X-ray with pacemaker and no support devices', ['pacemaker', 'support devices'], 'against'],
    ['Chest X-ray of 40 year old 85 year old subject', ['40', '85'], '"40" against "85"'],
  ])('refuses %j, naming its words', (caption, words, message) => {
    const error = caught(() => parseCaption(caption)) as CaptionError
    expect(error).toBeInstanceOf(CaptionError)
    expect(error.code).toBe('caption')
    expect(error.words).toEqual(words)
    expect(error.message).toContain(message)
  })
})

describe('parse and render are inverse', () => {
  it('on 10,000 generated attributes, in both forms that say everything', () => {
    let seen = 0
    fc.assert(
      fc.property(attributes, fc.constantFrom('paper', 'figure-1'), (what, style) => {
        seen++
        const text = captionOf(what, style as 'paper')
        const read = parseCaption(text)
        expect(said(read)).toEqual(what)
        expect(renderCaption(read)).toBe(text)
      }),
      { seed: 1, numRuns: 10_000 },
    )
    expect(seen).toBe(10_000)
  })

  it('on 10,000 captions in many words', () => {
    fc.assert(
      fc.property(worded, ({ said: what, text }) => {
        const read = parseCaption(text)
        expect(said(read), text).toEqual(what)
        expect(renderCaption(read)).toBe(text)
      }),
      { seed: 2, numRuns: 10_000 },
    )
  })

  it('refuses attributes that were changed without their words', () => {
    expect(() => renderCaption({ ...parseCaption('Chest X-ray of 85-years old subject.'), age: 40 })).toThrow(
      'another age',
    )
  })
})

describe('every perturbation', () => {
  it('differs in exactly one attribute, and is a caption of the grammar', () => {
    const perturb = clinicalPerturber({ leaveOut: true, views: ['PA', 'AP', 'lateral', 'frontal'] })
    let made = 0
    fc.assert(
      fc.property(worded, ({ text }) => {
        const before = parseCaption(text)
        for (const { target, intervention, source } of perturb(text)) {
          made++
          const after = parseCaption(target)
          expect(differences(before, after), `${text} → ${target}`).toEqual([intervention])
          expect(renderCaption(after)).toBe(target)
          expect(source).toBe(text)
          expectGrammatical(target)
        }
      }),
      { seed: 3, numRuns: 150 },
    )
    expect(made).toBeGreaterThan(1000)
  })

  it('says the changed attribute alone in the style of figure 3', () => {
    const perturb = clinicalPerturber({ style: 'figure-3' })
    fc.assert(
      fc.property(worded, ({ text }) => {
        for (const { target, intervention } of perturb(text)) {
          const changed = differences(parseCaption(text), parseCaption(target)).filter(
            ({ to }) => to !== null,
          )
          expect(changed.every((one) => one.attribute === intervention!.attribute || one.from === null)).toBe(
            true,
          )
          expect(changed, `${text} → ${target}`).toContainEqual(intervention)
        }
      }),
      { seed: 4, numRuns: 60 },
    )
  })

  it('turns the paper’s prompts into the paper’s prompts', () => {
    const perturb = clinicalPerturber({ style: 'figure-3' })
    const targets = perturb(paper).map(({ target }) => target)
    expect(targets).toContain('Chest X-ray with no cardiomegaly')
    expect(targets).toContain('Chest X-ray with no support devices')
    const [first] = perturb(paper)
    expect(first!.words).toEqual({ deleted: ['and', 'support', 'devices'], inserted: ['no'], replaced: [] })
    const alone = intervene('Chest X-ray of 80-year old male subject with no findings.', 'age', 40, {
      style: 'figure-3',
    })
    expect(alone.caption).toBe('Chest X-ray of 40-year old subject.')
  })

  it('draws with a seed, without repeats', () => {
    const text = 'PA chest X-ray of an 85-years old white male subject with small left effusion.'
    const drawn = (seed: number) => clinicalPerturber({ count: 4, seed })(text).map(({ target }) => target)
    expect(drawn(0)).toEqual(drawn(0))
    expect(new Set(drawn(0)).size).toBe(4)
    expect(new Set(Array.from({ length: 20 }, (_, seed) => drawn(seed).join())).size).toBeGreaterThan(10)
    const all = clinicalPerturber()(text).map(({ target }) => target)
    expect(all).toEqual(expect.arrayContaining(drawn(7)))
    expect(() => clinicalPerturber({ count: 0 })).toThrow('count')
    expect(() => clinicalPerturber({ count: 1, seed: -1 })).toThrow('seed')
  })
})

test.each([
  [
    'Chest X-ray showing cardiomegaly, support devices',
    'cardiomegaly',
    false,
    'Chest X-ray with no cardiomegaly, support devices',
  ],
  [
    'Chest X-ray showing edema, fracture',
    'pleural effusion',
    true,
    'Chest X-ray showing edema, fracture, pleural effusion',
  ],
  ['Chest X-ray showing edema, fracture', 'edema', null, 'Chest X-ray showing fracture'],
  ['Normal chest X-ray with no significant findings', 'edema', true, 'Chest X-ray with edema'],
  [
    'An unremarkable chest X-ray of a 40-year-old man',
    'edema',
    true,
    'A chest X-ray of a 40-year-old man with edema',
  ],
  [
    'An unremarkable chest X-ray of a 40-year-old man',
    'age',
    85,
    'An unremarkable chest X-ray of an 85-year-old man',
  ],
  ['Chest X-ray of a White Man.', 'race', 'Asian', 'Chest X-ray of an Asian Man.'],
  ['Chest X-ray of a White Man.', 'sex', 'female', 'Chest X-ray of a White Woman.'],
  ['PA chest X-ray', 'view', 'lateral', 'Lateral chest X-ray'],
  ['Chest X-ray without effusion or edema', 'edema', true, 'Chest X-ray with edema and no effusion'],
  [
    'Chest X-ray with a small left effusion',
    'pleural effusion laterality',
    'bilateral',
    'Chest X-ray with small bilateral effusions',
  ],
  [
    'Chest X-ray with a mildly enlarged heart',
    'cardiomegaly severity',
    'severe',
    'Chest X-ray with a severely enlarged heart',
  ],
  ['Chest X-ray with a mildly enlarged heart', 'cardiomegaly', false, 'Chest X-ray with no enlarged heart'],
] as const)('%s, %s: %s', (caption, attribute, to, expected) => {
  expect(intervene(caption, attribute, to).caption).toBe(expected)
})

test.each([
  ['age', 40, 'a caption that says age'],
  ['cardiomegaly', true, 'changes nothing'],
  ['pacemaker', 'yes', 'as a boolean'],
  ['shoe size', 40, 'the grammar knows'],
  ['edema severity', 'mild', 'a caption that says edema severity'],
  ['cardiomegaly severity', 'purple', 'and nothing else'],
  ['no finding', true, 'and nothing else'],
  ['enlarged cardiomediastinum', false, 'and nothing else'],
])('intervene refuses %s = %s', (attribute, to, message) => {
  expect(() => intervene(paper, attribute, to)).toThrow(message)
})

test('a perturber asked for an attribute that the caption lacks says so', () => {
  expect(() => clinicalPerturber({ attributes: ['age'] })(paper)).toThrow('cardiomegaly, support devices')
  expect(clinicalPerturber({ attributes: ['pleural effusion'] })(paper)).toHaveLength(1)
  expect(() => clinicalPerturber()('A photo of a cat')).toThrow(CaptionError)
})

test.each([
  ['prism', [], 'Normal chest X-ray with no significant findings'],
  [
    'prism',
    [
      { name: 'edema', present: true },
      { name: 'fracture', present: false },
    ],
    'Chest X-ray showing edema',
  ],
  [
    'figure-3',
    [
      { name: 'edema', present: true },
      { name: 'fracture', present: false },
    ],
    'Chest X-ray with edema and no fracture',
  ],
  [
    'paper',
    [{ name: 'no finding', present: true }],
    'Chest X-ray of 85-years old male subject with no findings.',
  ],
  ['figure-1', [], 'Chest X-ray of 85-year old male subject.'],
] as const)('the %s form', (style, findings, expected) => {
  expect(captionOf({ age: 85, sex: 'male', findings }, style)).toBe(expected)
})

describe("the phantoms' captions", () => {
  const corpus = new Set(allCaptions())
  const patient = {
    sex: 'male',
    age: 60,
    cardiomegaly: true,
    effusion: true,
    pacemaker: true,
    line: false,
  } as const
  const well = { ...patient, cardiomegaly: false, effusion: false, pacemaker: false }

  it('are read and given back, all of them', () => {
    for (const caption of corpus) expect(renderCaption(parseCaption(caption))).toBe(caption)
  })

  it.each(CAPTION_FORMS)('$name: perturbed into captions that the phantom model knows', ({ sentences }) => {
    const add = ['cardiomegaly', 'pleural effusion', 'support devices'] as const
    const ways = [
      clinicalPerturber({ add, ages: [30, 60] }),
      clinicalPerturber({ add, leaveOut: true }),
      clinicalPerturber({ add, style: 'figure-3' }),
    ]
    for (const caption of [...sentences(patient), ...sentences(well)]) {
      const targets = ways.flatMap((perturb) => perturb(caption).map(({ target }) => target))
      const known = targets.filter((target) => corpus.has(target))
      expect(known.length, caption).toBeGreaterThan(0)
    }
  })
})

function expectGrammatical(caption: string): void {
  expect(caption).not.toMatch(
    / {2}|,,| ,|,$|\band (and|,)|\bno no\b|\bwith$|\bno (mild|small|severe|moderate|large)\b|\ban? bilateral\b/,
  )
  for (const [, article, next] of caption.matchAll(/\b(an?) ([\p{L}\p{N}][^ ]*)/giu))
    expect(article!.toLowerCase(), caption).toBe(articleBefore(next!))
}

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
