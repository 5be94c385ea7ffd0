export { type AutoencoderConfig, autoencoderConfig } from './config/autoencoder.js'
export { type SchedulerConfig, schedulerConfig } from './config/scheduler.js'
export { type TextEncoderConfig, textEncoderConfig } from './config/text-encoder.js'
export { type DownBlockType, type UNetConfig, type UpBlockType, unetConfig } from './config/unet.js'
