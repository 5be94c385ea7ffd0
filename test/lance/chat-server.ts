import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One scripted answer of the server. */
export type Script = (
  response: ServerResponse,
  body: Record<string, unknown>,
  request: IncomingMessage,
) => void

/** A server on loopback that speaks the chat protocol: one script a request, the last one again and again. */
export async function chatServer(...scripts: readonly Script[]) {
  const seen: { body: Record<string, unknown>; at: number; authorization: string | undefined }[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      const body = JSON.parse(text)
      const script = scripts[Math.min(seen.length, scripts.length - 1)]!
      seen.push({ body, at: Date.now(), authorization: request.headers.authorization })
      script(response, body, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}/v1`, seen, close, [Symbol.asyncDispose]: close }
}

/** A whole answer. */
export const says =
  (content: string, more: { finish_reason?: string; refusal?: string } = {}): Script =>
  (response) => {
    const { finish_reason = 'stop', refusal } = more
    const message = { role: 'assistant', content: refusal ? null : content, ...(refusal && { refusal }) }
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({ id: 'x', object: 'chat.completion', choices: [{ index: 0, finish_reason, message }] }),
    )
  }

/** A structured answer. */
export const edits = (...captions: readonly string[]): Script =>
  says(JSON.stringify({ edits: captions.map((caption) => ({ caption })) }))

/** A status without an answer. */
export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Script =>
  (response) => {
    response.writeHead(code, headers)
    response.end(JSON.stringify({ error: { message: `status ${code}` } }))
  }
