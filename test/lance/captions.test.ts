import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { CaptionError } from '../../src/lance/caption-error.js'
import { captionTable, parseCaptionTable } from '../../src/lance/captions/caption-table.js'
import { cutWords, expectFits, withinLength } from '../../src/lance/captions/cut-words.js'
import { templateCaptioner } from '../../src/lance/captions/template-captioner.js'
import { visionCaptioner } from '../../src/lance/captions/vision-captioner.js'
import { clinicalPerturber, parseCaption } from '../../src/lance/clinical/index.js'
import { sd1 } from '../text/clip-files.js'
import { chatServer, says } from './chat-server.js'

let folder: string
let image: tf.Tensor4D
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'captions-'))
})
afterAll(() => rm(folder, { recursive: true }))
beforeEach(() => {
  image = tf.fill([1, 8, 8, 3], 0.5)
})
afterEach(() => image.dispose())

test('the template says known attributes', async () => {
  const known = {
    'a.png': { age: 85, race: 'white', sex: 'male', findings: [{ name: 'edema', present: true }] },
  } as const
  expect(await templateCaptioner(known)({ name: 'a.png', image })).toBe(
    'Chest X-ray of 85-years old white male subject with edema.',
  )
  expect(await templateCaptioner(known, 'prism')({ name: 'a.png', image })).toBe('Chest X-ray showing edema')
  expect(await templateCaptioner(() => known['a.png'], 'figure-3')({ name: 'b', image })).toBe(
    'Chest X-ray with edema',
  )
  await expect(templateCaptioner(known)({ name: 'toString', image })).rejects.toThrow('"toString"')
})

describe('a table', () => {
  const csv =
    '\uFEFFimage,caption,age\r\na.png,"Chest X-ray with edema, ""mild""",3\r\n\r\n"b,c.png",Chest X-ray,\n'

  it('is read from CSV and from JSONL', async () => {
    await writeFile(join(folder, 't.csv'), csv)
    const caption = await captionTable(join(folder, 't.csv'))
    expect(caption({ name: 'a.png', image })).toBe('Chest X-ray with edema, "mild"')
    expect(caption({ name: 'some/where/b,c.png', image })).toBe('Chest X-ray')
    expect(() => caption({ name: 'd.png', image })).toThrow('none for "d.png"')
    await writeFile(join(folder, 't.jsonl'), '{"file": "a.png", "text": "A caption"}\n\n')
    const other = await captionTable(join(folder, 't.jsonl'), { name: 'file', caption: 'text' })
    expect(other({ name: 'a.png', image })).toBe('A caption')
    await expect(captionTable(join(folder, 'none.csv'))).rejects.toThrow('none.csv')
  })

  it.each([
    ['image,text\na.png,b', 'csv', 'row 1 without'],
    ['image,caption\na.png,b\na.png,c', 'csv', 'two for "a.png"'],
    ['image,caption\na.png,', 'csv', 'row 1 without'],
    ['image,caption\na.png,"b', 'csv', 'never closed'],
    ['image,caption\na.png,"b"c', 'csv', 'after a closing quote'],
    ['{"image": "a", "caption": "b"}\nnot json', 'jsonl', 'line 2'],
    ['{"image": 1, "caption": "b"}', 'jsonl', 'row 1 without'],
  ] as const)('refuses %j', (text, format, message) => {
    expect(() => parseCaptionTable(text, format)).toThrow(message)
  })
})

describe('a vision model', () => {
  it('is shown the picture, and replays from the cache', async () => {
    const server = await chatServer(says('Two\nlines'), says('"Chest X-ray with edema."\n'))
    const options = { model: 'seer', cache: join(folder, 'seen'), backOff: 1 }
    const caption = visionCaptioner({ ...options, url: server.url })
    expect(await caption({ name: 'a.png', image })).toBe('Chest X-ray with edema.')
    const { messages } = server.seen[1]!.body as {
      messages: { content: { image_url?: { url: string } }[] }[]
    }
    expect(messages[0]!.content[1]!.image_url!.url).toMatch(/^data:image\/png;base64,iVBOR/)
    await server.close()
    const replay = visionCaptioner({ ...options, url: server.url, offline: true })
    expect(await replay({ name: 'renamed.png', image })).toBe('Chest X-ray with edema.')
    const other = tf.zeros<tf.Rank.R4>([1, 8, 8, 3])
    await expect(replay({ name: 'a.png', image: other })).rejects.toMatchObject({ reason: 'offline' })
    other.dispose()
  })
})

describe('a caption that is too long', () => {
  const long = `Chest X-ray with ${Array(40).fill('edema').join(', ')} and support devices.`

  it('names the words that are cut off', () => {
    expect(cutWords(sd1, 'Chest X-ray with edema')).toEqual([])
    const cut = cutWords(sd1, long)
    expect(cut.slice(-3)).toEqual(['and', 'support', 'devices.'])
    expect(long.endsWith(cut.join(' '))).toBe(true)
    expect(() => expectFits(sd1, long)).toThrow('support devices.')
  })

  it('is refused by a perturber within a length; longer edits are left out', async () => {
    const perturb = withinLength(clinicalPerturber(), sd1)
    const error = await Promise.resolve(perturb(long)).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(CaptionError)
    expect(error.words).toContain('devices.')
    const short = 'Chest X-ray with edema'
    expect(await perturb(short)).toEqual(clinicalPerturber()(short))
    // Just fits: edits that add words do not.
    const words = 'Chest X-ray from of in is '
    const full = `${words}${'the chest '.repeat(30)}with no edema and fracture`
    expect(() => parseCaption(full)).not.toThrow()
    expect(cutWords(sd1, full)).toEqual([])
    const kept = (await perturb(full)).map(({ target }) => target)
    expect(kept.length).toBeLessThan(clinicalPerturber()(full).length)
    for (const target of kept) expect(cutWords(sd1, target)).toEqual([])
  })
})
