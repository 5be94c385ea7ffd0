import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeSafetensors } from '../../src/checkpoint/index.js'
import { type EditRecord, type LanceRun, readRecords, runLance } from '../../src/lance/index.js'
import { toyDenoiser, toyModel } from '../inversion/toy-model.js'
import { runProcess } from './kill.js'
import { lines, toyFolder, toyRun } from './toy-run.js'
import { heartAndLine, perturbation } from './toys.js'

const folder = mkdtempSync(join(tmpdir(), 'contrafact-lance-'))
const images = join(folder, 'images')
const at = (name: string) => join(folder, name)
let whole: LanceRun
beforeAll(async () => {
  await toyFolder(images, 1)
  whole = await runLance(toyRun(images, at('whole')))
})
afterAll(() => rmSync(folder, { recursive: true }))

const ofPicture = (name: string, { records }: LanceRun = whole) =>
  records.filter(({ picture }) => picture === name)

test('one record an edit, every edit named, nothing left out', () => {
  const records = ofPicture('picture-0.png')
  expect(records.map(({ edit }) => edit)).toEqual([
    'finding-no',
    'object-lungs',
    'adjective-a-b',
    'adjective-b',
    'line-false',
    'line-false-2',
    'twin-lungs',
    'nothing-without-heart-and-line',
  ])
  expect(records.slice(6).map(({ status, reason }) => [status, reason])).toEqual([
    ['skipped', 'the same caption as object-lungs'],
    ['skipped', 'the caption did not change'],
  ])
  for (const { status, kept, tries, predictions, perturbation } of records.slice(0, 6)) {
    expect(status).toBe(kept!.passed ? 'passed' : 'rejected')
    expect(tries).toEqual([kept])
    expect(Object.keys(predictions!)).toEqual(['original', 'reconstruction', 'edited'])
    expect(perturbation!.source).toBe(heartAndLine)
  }
  expect(records.slice(0, 6).map(({ status }) => status === 'passed')).toEqual([
    true,
    true,
    false,
    false,
    true,
    true,
  ])
})

test('a file that does not decode is recorded, and the run goes on', () => {
  const [broken] = ofPicture('broken.png')
  expect(broken).toMatchObject({ edit: null, status: 'unreadable' })
  expect(broken!.reason).toMatch(/PNG|picture|image/i)
  expect(whole.summary.status).toEqual({
    passed: expect.any(Number),
    rejected: expect.any(Number),
    skipped: 2,
    unreadable: 1,
    unperturbed: 0,
  })
})

test('files are where the records say: PNG pictures, float32 latents, a page', async () => {
  for (const { files } of whole.records)
    for (const file of Object.values(files ?? {})) expect(existsSync(at(`whole/${file}`)), file).toBe(true)
  const { files } = whole.records.find((record) => record.files)!
  const { entries } = await decodeSafetensors(readFileSync(at(`whole/${files!.latents}`)))
  expect(entries.get('latents')).toMatchObject({ dtype: 'F32', shape: [1, 4, 4, 4] })
  expect(lines(await readRecords(at('whole/records.jsonl')))).toEqual(lines(whole.records))
  expect(
    readdirSync(at('whole'), { recursive: true }).filter((file) => String(file).endsWith('.tmp')),
  ).toEqual([])
  const page = readFileSync(whole.page, 'utf8')
  expect(page).not.toMatch(/(src|href)="(?!data:)/)
  for (const word of [
    'no heart and line',
    'not the letter b',
    'the same caption as object-lungs',
    'Sensitivity',
  ])
    expect(page).toContain(word)
})

test.each([100, 5, 3])('at most %i rows a call: 1 + 1 + 2K evaluations a step for K edits', async (rows) => {
  const calls: number[] = []
  const options = toyRun(images, at(`counted-${rows}`))
  const run = await runLance({
    ...options,
    model: toyModel(toyDenoiser(calls)),
    edit: { ...options.edit, rows },
  })
  const asked = calls.reduce((sum, n) => sum + n, 0)
  const { inversion, edits } = run.summary.evaluations
  expect(inversion + edits).toBe(asked)
  expect(Math.max(...calls)).toBeLessThanOrEqual(rows)
  // Six edits, 4 steps.
  expect(asked).toBe(4 + 4 + 8 * 6)
})

test('a finished run is not repeated', async () => {
  const calls: number[] = []
  const again = await runLance({ ...toyRun(images, at('whole')), model: toyModel(toyDenoiser(calls)) })
  expect(calls).toEqual([])
  expect(lines(again.records)).toEqual(lines(whole.records))
})

test('a run that is aborted at any step of its edits goes on, and does not invert again', async () => {
  for (const moment of [1, 2, 3, 4]) {
    const controller = new AbortController()
    const onProgress = ({ stage, done }: { stage: string; done: number }) => {
      if (stage === 'edit' && done === moment) controller.abort()
    }
    const options = toyRun(images, at(`aborted-${moment}`))
    await expect(runLance({ ...options, signal: controller.signal, onProgress })).rejects.toThrow(/aborted/)
    const calls: number[] = []
    const { records } = await runLance({ ...options, model: toyModel(toyDenoiser(calls)) })
    expect(lines(records)).toEqual(lines(whole.records))
    expect(calls.filter((rows) => rows === 1)).toHaveLength(0)
  }
})

test('a killed process leaves a folder that another one finishes, to the last digit', async () => {
  const out = at('killed')
  const { ms } = await runProcess(images, out, 350)
  expect(ms).toBeGreaterThan(300)
  // What a kill in the middle of a write leaves.
  writeFileSync(join(out, 'records.jsonl.1-0.tmp'), '{"picture":')
  const { records } = await runLance(toyRun(images, out))
  expect(lines(records)).toEqual(lines(whole.records))
  expect(readdirSync(out).filter((file) => file.endsWith('.tmp'))).toEqual([])
})

test('a folder of other settings is refused, and every difference is named', async () => {
  const options = toyRun(images, at('whole'))
  const other = {
    ...options,
    edit: { ...options.edit, guidance: 5, selfReplace: [0.2] },
    gates: [{ gate: 'image-image', min: 0.8 }, options.gates[1]!] as const,
    names: { ...options.names, model: 'another' },
  }
  await expect(runLance(other)).rejects.toThrow(
    /names\.model is "toy" there and "another" here; edit\.guidance is 3 there and 5 here; edit\.selfReplace is \[0\.4\] there and \[0\.2\] here; gates\.0\.min is -1 there and 0\.8 here/,
  )
  await expect(runLance(toyRun(images, images))).rejects.toThrow(/no run\.json and holds broken\.png/)
})

test('a picture that changed since it was planned is refused', async () => {
  const [pictures, out] = [at('changing'), at('changed')]
  cpSync(join(images, 'picture-0.png'), join(pictures, 'one.png'))
  const options = {
    ...toyRun(pictures, out),
    perturb: () => [perturbation(heartAndLine, 'heart', { deleted: ['and', 'line'] })],
  }
  await runLance(options)
  cpSync(
    whole.page.replace('index.html', whole.records.find(({ files }) => files)!.files!.edited),
    join(pictures, 'one.png'),
  )
  await expect(runLance(options)).rejects.toThrow(/another content of .*one\.png/)
})

test('a caption of too many tokens: the record says which words were cut', async () => {
  const [pictures, out] = [at('long'), at('long-out')]
  cpSync(join(images, 'picture-0.png'), join(pictures, 'one.png'))
  const long = 'a b c d e f g h i j k l'
  const { records } = await runLance({
    ...toyRun(pictures, out),
    caption: () => long,
    perturb: () => [
      perturbation(long, `heart b c d e f g h i j k l`, { replaced: [['a', 'heart']] }),
      perturbation(long, long.replace(' l', ' heart'), { replaced: [['l', 'heart']] }),
    ],
  })
  expect(records).toMatchObject([
    { truncated: { source: 'k l', target: 'k l' } },
    { status: 'skipped', reason: expect.stringContaining('beyond the text encoder') },
  ] satisfies Partial<EditRecord>[])
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('Cut off by the text encoder: “k l”')
})

test('a caption that nothing can be done with, a perturber of other captions, an empty folder', async () => {
  const pictures = at('few')
  cpSync(join(images, 'picture-0.png'), join(pictures, 'one.png'))
  const { records } = await runLance({ ...toyRun(pictures, at('few-out')), perturb: () => [] })
  expect(records).toMatchObject([{ picture: 'one.png', edit: null, status: 'unperturbed' }])
  const foreign = { ...toyRun(pictures, at('foreign-out')), perturb: () => [perturbation('heart', 'line')] }
  await expect(runLance(foreign)).rejects.toThrow(/a perturber changes the caption that it is given/)
  await expect(runLance(toyRun(at('whole'), at('none-out')))).rejects.toThrow(/folder of pictures/)
  await expect(runLance(toyRun(at('missing'), at('none-out')))).rejects.toThrow(/ENOENT/)
})
