import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { AbortError } from '../../src/core/index.js'
import { LanguageModelError } from '../../src/lance/language-model/language-model-error.js'
import { languageModelPerturber } from '../../src/lance/language-model/language-model-perturber.js'
import { readEdits, readLanceList } from '../../src/lance/language-model/read-edits.js'
import { chatServer, edits, type Script, says, status } from './chat-server.js'

const caption = 'a photo of a dog on a beach'
const quick = { model: 'test-model', kinds: ['subject'], backOff: 1, timeout: 2000, retries: 2 }
const cat = 'a photo of a cat on a beach'
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'answers-'))
})
afterAll(() => rm(folder, { recursive: true }))

const failure = async (work: Promise<unknown> | unknown): Promise<LanguageModelError> => {
  try {
    await work
  } catch (error) {
    expect(error).toBeInstanceOf(LanguageModelError)
    return error as LanguageModelError
  }
  throw new Error('nothing was thrown')
}

test('asks in the protocol, for each kind, and names what changed', async () => {
  await using server = await chatServer(
    edits(cat, caption, cat, 'a photo of a horse on a beach'),
    edits('a sketch of a dog on a beach'),
  )
  const perturb = languageModelPerturber({
    ...quick,
    url: `${server.url}/`,
    kinds: ['subject', 'domain'],
    apiKey: 'sesame',
    count: 4,
    seed: 5,
  })
  const made = await perturb(caption)
  expect(made.map(({ kind, target }) => [kind, target])).toEqual([
    ['subject', cat],
    ['subject', 'a photo of a horse on a beach'],
    ['domain', 'a sketch of a dog on a beach'],
  ])
  expect(made[0]!.words).toEqual({ deleted: [], inserted: [], replaced: [['dog', 'cat']] })
  expect(made[0]!.provenance).toEqual({
    perturber: 'language-model',
    model: 'test-model',
    seed: 5,
    replayed: false,
  })
  const [first] = server.seen
  expect(first!.authorization).toBe('Bearer sesame')
  expect(first!.body).toMatchObject({
    model: 'test-model',
    seed: 5,
    stream: false,
    response_format: { type: 'json_schema' },
  })
  expect(JSON.stringify(first!.body.messages)).toContain(caption)
})

describe('tries again', () => {
  const cut: Script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
    response.write('{"choices": [{"mess')
    setTimeout(() => response.destroy(), 20)
  }
  const slow: Script = (response) => {
    response.writeHead(200)
    response.write('{')
  }
  it.each([
    ['a prose answer', says('Sure! Here are some ideas: a cat, a horse.')],
    ['malformed JSON', says('{"edits": [{"caption": ')],
    ['JSON of another form', says('{"captions": ["a cat"]}')],
    ['an answer that changes nothing', edits(caption, `${caption}.`)],
    ['a body that is no protocol', (response) => response.end('<html>busy</html>')],
    ['a body that breaks off', cut],
    ['a server error', status(503)],
    ['a rate limit', status(429)],
  ] as [string, Script][])('after %s', async (_, broken) => {
    await using server = await chatServer(broken, edits(cat))
    const made = await languageModelPerturber({ ...quick, url: server.url })(caption)
    expect(made.map(({ target }) => target)).toEqual([cat])
    expect(server.seen).toHaveLength(2)
    // Another try of the same seed would only give the same answer.
    expect(server.seen.map(({ body }) => body.seed)).toEqual([0, 1])
  })

  it('after a slow answer, with the clock running over the whole body', async () => {
    await using server = await chatServer(slow, edits(cat))
    const made = await languageModelPerturber({ ...quick, url: server.url, timeout: 300 })(caption)
    expect(made).toHaveLength(1)
  })

  it('no sooner than Retry-After asks, in seconds or as a date', async () => {
    const date = () => new Date(Date.now() + 2000).toUTCString()
    const later: Script = (...args) => status(429, { 'retry-after': date() })(...args)
    await using server = await chatServer(status(429, { 'retry-after': '0.3' }), later, edits(cat))
    await languageModelPerturber({ ...quick, url: server.url })(caption)
    const [a, b, c] = server.seen.map(({ at }) => at) as [number, number, number]
    expect(b - a).toBeGreaterThanOrEqual(290)
    expect(c - b).toBeGreaterThanOrEqual(900)
  })

  it('with pauses that double', async () => {
    await using server = await chatServer(status(500), status(500), status(500), edits(cat))
    await languageModelPerturber({ ...quick, url: server.url, backOff: 60, retries: 3 })(caption)
    const gaps = server.seen.slice(1).map(({ at }, i) => at - server.seen[i]!.at)
    for (const [i, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(60 * 2 ** i - 5)
  })
})

describe('gives up with the reason', () => {
  it.each([
    ['refused', says('', { refusal: 'I cannot help with that.' }), 1],
    ['refused', says('', { finish_reason: 'content_filter' }), 1],
    ['truncated', says('{"edits": [{"capt', { finish_reason: 'length' }), 1],
    ['malformed', says('I would change the dog.'), 3],
    ['rate-limited', status(429), 3],
    ['rate-limited', status(429, { 'retry-after': '3600' }), 1],
    ['http', status(401), 1],
    ['http', status(404), 1],
    ['http', status(500), 3],
  ] as [string, Script, number][])('%s', async (reason, script, tries) => {
    await using server = await chatServer(script)
    const error = await failure(
      languageModelPerturber({ ...quick, url: server.url, apiKey: 'sesame' })(caption),
    )
    expect(error.reason).toBe(reason)
    expect(error.code).toBe('language-model')
    expect(error.message).not.toContain('sesame')
    expect(server.seen).toHaveLength(tries)
  })

  it('timeout', async () => {
    await using server = await chatServer(() => {})
    const error = await failure(
      languageModelPerturber({ ...quick, url: server.url, timeout: 80, retries: 1 })(caption),
    )
    expect(error.reason).toBe('timeout')
    expect(server.seen).toHaveLength(2)
  })

  it('unreachable', async () => {
    const server = await chatServer(edits(cat))
    await server.close()
    expect((await failure(languageModelPerturber({ ...quick, url: server.url })(caption))).reason).toBe(
      'unreachable',
    )
  })

  it('an abort, while it waits for an answer and while it pauses', async () => {
    for (const script of [(() => {}) as Script, status(429, { 'retry-after': '30' })]) {
      await using server = await chatServer(script)
      const work = languageModelPerturber({ ...quick, url: server.url })(caption, {
        signal: AbortSignal.timeout(100),
      })
      await expect(work).rejects.toThrow(AbortError)
    }
  })

  it('an empty caption, a count out of range', async () => {
    await expect(languageModelPerturber({ ...quick, url: 'http://127.0.0.1:1' })('  ')).rejects.toThrow(
      'an empty one',
    )
    expect(() => languageModelPerturber({ ...quick, url: '', count: 0 })).toThrow('count')
  })
})

describe('the cache', () => {
  it('replays with the server gone, from another address', async () => {
    const cache = join(folder, 'replay')
    const server = await chatServer(edits(cat))
    const first = await languageModelPerturber({ ...quick, url: server.url, cache, apiKey: 'sesame' })(
      caption,
    )
    await server.close()
    const again = languageModelPerturber({ ...quick, url: 'http://127.0.0.1:9/v1', cache, offline: true })
    const replayed = await again(caption)
    expect(replayed.map(({ target }) => target)).toEqual(first.map(({ target }) => target))
    expect(replayed[0]!.provenance.replayed).toBe(true)
    const files = await readdir(cache)
    expect(files).toHaveLength(1)
    expect(files[0]).toMatch(/^[0-9a-f]{64}\.json$/)
    expect(await readFile(join(cache, files[0]!), 'utf8')).not.toContain('sesame')
    expect((await failure(again('a photo of a bird'))).reason).toBe('offline')
    const other = languageModelPerturber({ ...quick, url: '', cache, offline: true, seed: 1 })
    expect((await failure(other(caption))).reason).toBe('offline')
  })

  it('keeps no answer that was refused, and asks again where a file is broken', async () => {
    const cache = join(folder, 'broken')
    await using server = await chatServer(says('prose'), edits(cat))
    await failure(languageModelPerturber({ ...quick, url: server.url, cache, retries: 0 })(caption))
    expect(await readdir(cache).catch(() => [])).toEqual([])
    const perturb = languageModelPerturber({ ...quick, url: server.url, cache })
    await perturb(caption)
    const [file] = await readdir(cache)
    await writeFile(join(cache, file!), '{"answer": ["a photo of')
    expect((await perturb(caption))[0]!.provenance.replayed).toBe(false)
    expect((await perturb(caption))[0]!.provenance.replayed).toBe(true)
    expect(server.seen).toHaveLength(3)
  })
})

describe("the dialect 'lance-2023'", () => {
  it('asks in its frame and reads its list', async () => {
    await using server = await chatServer(
      says('### Variations:\n1. a photo of a cat on a beach\n2. a photo of a fox on a beach\n'),
    )
    const made = await languageModelPerturber({ ...quick, url: server.url, dialect: 'lance-2023' })(caption)
    expect(made.map(({ target }) => target)).toEqual([cat, 'a photo of a fox on a beach'])
    const { messages, response_format } = server.seen[0]!.body as {
      messages: { content: string }[]
      response_format?: unknown
    }
    expect(messages[0]!.content).toMatch(/### Instruction:[\s\S]*### Input:\n.*\n\n### Variations:$/)
    expect(response_format).toBeUndefined()
  })

  it.each([
    ['a. first one. second half', ['first one']],
    ['12. a dog. on a beach', ['a dog. on a beach']],
    ['short\n\nlonger line', ['longer line']],
    ['prompt 1. x\n### Variations:\n1. kept\n', ['kept']],
  ])('%j', (text, captions) => {
    expect(readLanceList(text)).toEqual(captions)
  })

  it('refuses an empty list', () => {
    expect(() => readLanceList('### Variations:\n\nno')).toThrow(LanguageModelError)
  })
})

test('structured answers may stand in a fenced block', () => {
  expect(readEdits('Here:\n```json\n{"edits": [{"caption": " a cat "}]}\n```')).toEqual(['a cat'])
  expect(() => readEdits('{"edits": []}')).toThrow(LanguageModelError)
})
