/** A model behind an endpoint that speaks OpenAI's chat protocol: OpenAI, vLLM, Ollama, llama.cpp. */
export interface ChatEndpoint {
  /** Base address, `http://localhost:11434/v1`; `/chat/completions` is added. */
  readonly url: string
  /** The model's name at the endpoint. */
  readonly model: string
  /** Sent as a bearer token, and nowhere else: not in errors, not in the cache. */
  readonly apiKey?: string
  /** Milliseconds for one try, its whole answer included; 60,000. */
  readonly timeout?: number
  /** Tries after the first where another try may help; 3. */
  readonly retries?: number
  /** Milliseconds before the second try; doubled for each further one, and at least what the endpoint asks for; 500. */
  readonly backOff?: number
  /** The longest pause that is heeded when an endpoint asks for one, in milliseconds; 60,000. */
  readonly longestPause?: number
}

/** The body of a request, as the protocol has it. */
export interface ChatRequest {
  /** The conversation. */
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
  /** Sampling temperature. */
  readonly temperature?: number
  /** The most tokens of an answer. */
  readonly max_tokens?: number
  /** Seed of the sampling, where the server heeds it. */
  readonly seed?: number
  /** Asks for JSON of a schema. */
  readonly response_format?: unknown
}
