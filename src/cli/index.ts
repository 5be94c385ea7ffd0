#!/usr/bin/env node
/**
 * The command `contrafact`: argv to the calls of the other rooms. The only room that writes to the terminal.
 *
 * @packageDocumentation
 */
import { main } from './main.js'

// Some backends keep threads alive that nothing waits for any more.
process.exit(await main(process.argv.slice(2)))
