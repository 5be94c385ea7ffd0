import type * as tf from '@tensorflow/tfjs'
import { perThread, threadsOfGroup } from './wgsl.js'

/** What a shader sees a tensor as: numbers, or two or four at a time where its last axis is divisible by as many. */
export type Element = 'f32' | 'i32' | 'vec2f' | 'vec4f'

/** A compute shader. Its bindings are declared by what is said here. */
export interface Program {
  /** For the profile. */
  readonly name: string
  /** Storage arrays to read, in order. */
  readonly inputs: Readonly<Record<string, Element>>
  /** Storage arrays to write, in order. */
  readonly outputs: Readonly<Record<string, Element>>
  /** Whole numbers of a run, `sizes.NAME: u32`, in order. */
  readonly sizes: readonly string[]
  /** Real numbers of a run, `sizes.NAME: f32`, after them. */
  readonly reals?: readonly string[]
  /** WGSL, with an entry point `main`. */
  readonly code: string
}

/** What a run says to its program. */
export interface Values {
  /** Tells them from all others of as many numbers; made of them by default. */
  readonly key?: string
  readonly sizes: readonly number[]
  readonly reals?: readonly number[]
}

/** One run of a program. */
export interface Run extends Values {
  readonly inputs: readonly tf.TensorInfo[]
  /** Of the results, float32; unless they are there already. */
  readonly shapes?: readonly (readonly number[])[]
  /** What the program writes to, where it is there already; new tensors by default. */
  readonly into?: readonly tf.TensorInfo[]
  /** Workgroups along each axis. */
  readonly groups: readonly [x: number, y: number, z: number]
}

/** The part of tfjs's webgpu backend that programs are recorded with. */
export interface ProgramBackend {
  readonly device: Device
  /** The pass that is being recorded, if one is. */
  computePassEncoder: Pass | null
  dispatchCountInPass: number
  querySet: object | null
  readonly commandEncoder: { beginComputePass(descriptor: object): Pass } | null
  /** Set while tfjs profiles. */
  readonly activeTimers: { name: string; query: Promise<number> }[] | null
  readonly supportTimestampQuery: boolean
  readonly querySetCount: number
  readonly commandQueueOwnedIds: WeakSet<object>
  readonly tensorMap: { get(dataId: object): { readonly dtype: tf.DataType } | undefined }
  makeTensorInfo(shape: number[], dtype: 'float32', values?: Float32Array): tf.TensorInfo
  disposeData(dataId: object): boolean
  uploadToGPU(dataId: object): void
  tensorToBinding(tensor: tf.TensorInfo): Binding
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
  getQueryTime(): Promise<number>
}

interface Pass {
  setPipeline(pipeline: object): void
  setBindGroup(index: number, group: object): void
  dispatchWorkgroups(x: number, y: number, z: number): void
}

/** The part of a GPUDevice that programs need. */
export interface Device {
  readonly limits: Readonly<
    Record<
      'maxComputeWorkgroupStorageSize' | 'maxComputeWorkgroupsPerDimension' | 'maxStorageBufferBindingSize',
      number
    >
  >
  readonly queue: { writeBuffer(buffer: object, offset: number, data: ArrayBuffer): void }
  createShaderModule(descriptor: { code: string; label: string }): object
  createComputePipeline(descriptor: object): Pipeline
  createBindGroup(descriptor: object): object
  createBuffer(descriptor: { size: number; usage: number }): object
  createQuerySet(descriptor: { type: 'timestamp'; count: number }): object
}

interface Binding {
  readonly buffer: object
}

interface Pipeline {
  getBindGroupLayout(index: number): object
}

/**
 * So many runs go to the device at once. Sending takes as long as recording ten, and the device has work for longer than that.
 */
export const runsAtOnce = 64

/**
 * Records a program among tfjs's own. Unlike tfjs's it may have several results, and shapes that never were before need
 * no new pipeline.
 *
 * @returns the results, owned by the caller
 */
export function runProgram(backend: ProgramBackend, program: Program, run: Run): readonly tf.TensorInfo[] {
  if (run.inputs.every((input) => isFloat(backend, input))) return record(backend, program, run)
  const inputs = run.inputs.map((input) => (isFloat(backend, input) ? input : asFloat(backend, input)))
  const results = record(backend, program, { ...run, inputs })
  for (const [i, { dataId }] of inputs.entries()) if (inputs[i] !== run.inputs[i]) backend.disposeData(dataId)
  return results
}

function record(backend: ProgramBackend, program: Program, run: Run): readonly tf.TensorInfo[] {
  const results = run.into ?? run.shapes!.map((shape) => emptyOrNew(backend, shape))
  if (results.every(({ shape }) => shape.includes(0))) return results
  const tensors = [...run.inputs, ...results]
  for (const { dataId } of tensors) backend.uploadToGPU(dataId)
  // A buffer that is disposed of before the queue is sent must not be handed out again.
  for (const { dataId } of tensors) backend.commandQueueOwnedIds.add(dataId)
  const { pipeline, layout } = compiled(backend.device, program)
  const bindings = [...tensors.map((t) => backend.tensorToBinding(t)), uniformsOf(backend.device, run)]
  const group = bindGroupOf(backend.device, layout, bindings)
  backend.ensureCommandEncoderReady()
  if (backend.activeTimers) backend.endComputePassEncoder()
  backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass(timestamps(backend))
  const pass = backend.computePassEncoder
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, group)
  pass.dispatchWorkgroups(...run.groups)
  if (backend.activeTimers) {
    backend.endComputePassEncoder()
    backend.activeTimers.push({ name: program.name, query: backend.getQueryTime() })
  } else if (++backend.dispatchCountInPass >= runsAtOnce) {
    backend.endComputePassEncoder()
    backend.submitQueue()
  }
  return results
}

// No buffer can be empty.
function emptyOrNew(backend: ProgramBackend, shape: readonly number[]): tf.TensorInfo {
  const values = shape.includes(0) ? new Float32Array(0) : undefined
  return backend.makeTensorInfo([...shape], 'float32', values)
}

// To tfjs a cast of whole numbers is another name for them: what they are is known to the backend alone.
const isFloat = ({ tensorMap }: ProgramBackend, { dataId }: tf.TensorInfo): boolean =>
  tensorMap.get(dataId)!.dtype === 'float32'

const asFloatProgram: Program = {
  name: 'As float',
  inputs: { x: 'i32' },
  outputs: { result: 'f32' },
  sizes: ['size'],
  code: perThread('result[i] = f32(x[i]);'),
}

function asFloat(backend: ProgramBackend, x: tf.TensorInfo): tf.TensorInfo {
  const size = x.shape.reduce((product, side) => product * side, 1)
  const groups = groupsOfThreads(backend.device, size)
  // The program takes it as it is.
  return record(backend, asFloatProgram, { inputs: [x], shapes: [x.shape], sizes: [size], groups })[0]!
}

function timestamps(backend: ProgramBackend): object {
  if (!backend.activeTimers || !backend.supportTimestampQuery) return {}
  backend.querySet ??= backend.device.createQuerySet({ type: 'timestamp', count: backend.querySetCount })
  const querySet = backend.querySet
  return { timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } }
}

/** A device's memory of what it made for a key; one that meets ever new keys starts anew now and then. */
export function remembered<T, Key = string>(most: number): (device: Device, key: Key, make: () => T) => T {
  const ofDevice = new WeakMap<Device, Map<Key, T>>()
  return (device, key, make) => {
    const known = ofDevice.get(device) ?? new Map<Key, T>()
    ofDevice.set(device, known)
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= most) known.clear()
    const made = make()
    known.set(key, made)
    return made
  }
}

const pipelines = remembered<{ readonly pipeline: Pipeline; readonly layout: object }, Program>(4096)

const compiled = (device: Device, program: Program) =>
  pipelines(device, program, () => {
    const label = program.name
    const module = device.createShaderModule({ code: `${declarations(program)}\n${program.code}`, label })
    const compute = { module, entryPoint: 'main' }
    const pipeline = device.createComputePipeline({ layout: 'auto', compute, label })
    return { pipeline, layout: pipeline.getBindGroupLayout(0) }
  })

function declarations({ inputs, outputs, sizes, reals = [] }: Program): string {
  const arrays = [
    ...Object.entries(inputs).map(([name, element]) => ['read', name, element] as const),
    ...Object.entries(outputs).map(([name, element]) => ['read_write', name, element] as const),
  ]
  const fields = [...sizes.map((name) => `${name}: u32`), ...reals.map((name) => `${name}: f32`)]
  return [
    ...arrays.map(
      ([access, name, element], i) =>
        `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${element}>;`,
    ),
    `struct Sizes { ${fields.join(', ')} }`,
    `@group(0) @binding(${arrays.length}) var<uniform> sizes: Sizes;`,
  ].join('\n')
}

const uniformAndCopyDestination = 0x48

const buffers = remembered<Binding>(4096)

// Layers meet the same sizes again and again.
function uniformsOf(
  device: Device,
  { sizes, reals = [], key = `${sizes.join()};${reals.join()}` }: Values,
): Binding {
  return buffers(device, key, () => {
    const data = new ArrayBuffer(16 * Math.ceil((sizes.length + reals.length) / 4))
    new Uint32Array(data).set(sizes)
    new Float32Array(data).set(reals, sizes.length)
    const buffer = device.createBuffer({ size: data.byteLength, usage: uniformAndCopyDestination })
    device.queue.writeBuffer(buffer, 0, data)
    return { buffer }
  })
}

const groups = remembered<object>(8192)

// Making one takes longer than all else of a run, and a loop comes by the same buffers again: see `device.ts`.
const bindGroupOf = (device: Device, layout: object, bindings: readonly Binding[]): object =>
  groups(device, `${numberOf(layout)},${bindings.map(({ buffer }) => numberOf(buffer))}`, () =>
    device.createBindGroup({ layout, entries: bindings.map((resource, binding) => ({ binding, resource })) }),
  )

const numbers = new WeakMap<object, number>()
let given = 0

/** A number that no other object has. */
export function numberOf(of: object): number {
  let number = numbers.get(of)
  if (number === undefined) {
    number = given++
    numbers.set(of, number)
  }
  return number
}

/** Workgroups of so many, along as many axes as the device needs for them; the shader reads `flatGroup`. */
export function flatGroups(device: Device, count: number): [number, number, number] {
  const most = device.limits.maxComputeWorkgroupsPerDimension
  return count <= most ? [count, 1, 1] : [most, Math.ceil(count / most), 1]
}

/** Workgroups of a program with a thread for each of so many numbers. */
export const groupsOfThreads = (device: Device, size: number): [number, number, number] =>
  flatGroups(device, Math.ceil(size / threadsOfGroup))
