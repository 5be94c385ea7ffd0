/**
 * Gives Node a `navigator.gpu`: Dawn's, from the npm package `webgpu`. Does nothing where there is one already.
 *
 * @throws Error when the package is not installed, or finds no adapter (no Vulkan, Metal or Direct3D 12 driver)
 */
export async function loadDawn(): Promise<void> {
  if (!('gpu' in (globalThis.navigator ?? {}))) {
    const name = 'webgpu'
    const { create, globals } = (await import(name)) as {
      create: (options: string[]) => object
      globals: object
    }
    Object.assign(globalThis, globals)
    // Node 21 and later have a navigator, whose own properties can be added to.
    const gpu = { value: create([]), configurable: true }
    if (globalThis.navigator) Object.defineProperty(globalThis.navigator, 'gpu', gpu)
    else
      Object.defineProperty(globalThis, 'navigator', {
        value: Object.defineProperty({}, 'gpu', gpu),
        configurable: true,
      })
  }
  const { gpu } = globalThis.navigator as unknown as { gpu: { requestAdapter(): Promise<object | null> } }
  if (!(await gpu.requestAdapter())) throw new Error('WebGPU finds no adapter')
}
