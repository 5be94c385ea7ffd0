import { expect, test } from 'vitest'
import { newPhrases } from '../../examples/support/new-words.js'

const source = 'Chest X-ray with cardiomegaly and support devices'

test.each([
  ['Chest X-ray with no cardiomegaly', ['no cardiomegaly']],
  ['Chest X-ray with no support devices', ['no support devices']],
  [source, []],
  ['Chest X-ray with cardiomegaly', []],
  ['Chest X-ray with no cardiomegaly and support devices', ['no cardiomegaly']],
  ['Chest X-ray with effusion and support devices', ['effusion']],
  ['Chest X-ray without cardiomegaly, support devices', ['without cardiomegaly,']],
])('what %j adds', (target, phrases) => {
  expect(newPhrases(source, target)).toEqual(phrases)
})
